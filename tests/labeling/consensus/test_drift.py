"""Change over time against its definition: every border, and random orders of the answers."""

import numpy as np
import pytest

from labeling.consensus.drift import (
    MOST_WINDOWS,
    SMALLEST_WINDOW,
    Drift,
    _contrasts,
    drifts,
)
from tests.fixtures.chinese import in_chinese


def windows_of(answers: int) -> list[int]:
    """Sizes of the windows, the larger ones first."""
    number = min(MOST_WINDOWS, answers // SMALLEST_WINDOW)
    return [answers // number + (place < answers % number) for place in range(number)]


def contrast(right: np.ndarray, border: int) -> float:
    """The difference of the shares on both sides, by its standard error without a change."""
    share = right.mean()
    spread = (share * (1 - share) * (1 / border + 1 / (len(right) - border))) ** 0.5
    return float(abs(right[:border].mean() - right[border:].mean()) / spread)


@pytest.mark.parametrize("answers", [40, 59, 60, 101, 239, 240, 241, 500])
def test_windows_are_of_nearly_equal_size_and_the_most_marked_border_is_taken(answers: int) -> None:
    rng = np.random.default_rng(answers)
    right = rng.random(answers) < np.linspace(1.2, -0.1, answers)
    sizes = windows_of(answers)
    (found,) = drifts([right], rng)
    borders = np.cumsum(sizes)
    parts = np.split(right, borders[:-1])
    assert [window.of for window in found.windows] == sizes
    assert [window.right for window in found.windows] == [int(part.sum()) for part in parts]
    best = max(borders[:-1].tolist(), key=lambda border: contrast(right, border))
    assert found.changed
    assert (found.first_after, found.adjusted) == (best, found.p_value)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.right, found.before.of) == (int(right[:best].sum()), best)
    assert (found.after.right, found.after.of) == (int(right[best:].sum()), answers - best)
    assert "fell from" in str(found.words)
    (rose,) = drifts([~right], rng)
    assert "rose from" in str(rose.words)
    assert "上升" in in_chinese(rose.words)


@pytest.mark.parametrize("seed", range(3))
def test_contrasts_are_standardised_differences_at_each_border(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = np.array(windows_of(130))
    right = rng.random((5, 130)) < 0.7
    counts = np.add.reduceat(right.astype(int), np.append(0, np.cumsum(sizes)[:-1]), axis=1)
    found = _contrasts(counts, sizes)
    for row, each in enumerate(found):
        borders = np.cumsum(sizes)[:-1].tolist()
        assert each == pytest.approx([contrast(right[row], border) for border in borders])


def test_chance_is_the_share_of_random_orders_that_are_as_marked() -> None:
    rng = np.random.default_rng(4)
    right = np.concatenate([rng.random(60) < 0.85, rng.random(40) < 0.7])
    (found,) = drifts([right], rng)
    borders = np.cumsum(windows_of(100))[:-1].tolist()
    seen = max(contrast(right, border) for border in borders)
    orders = [rng.permutation(right) for _ in range(4_000)]
    expected = np.mean([max(contrast(o, b) for b in borders) >= seen - 1e-9 for o in orders])
    assert found.p_value is not None
    assert 0.03 < expected < 0.6
    assert found.p_value == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(("team", "draws"), [(1, 20_000), (20, 1_000)])
def test_a_chance_that_matters_is_found_from_more_random_orders(team: int, draws: int) -> None:
    """It matters up to three times the level's part of each, and up to a hundredth."""
    rng = np.random.default_rng(4)
    right = np.concatenate([rng.random(60) < 0.85, rng.random(40) < 0.7])
    assert 3 * 0.05 / team > 0.01 if team == 1 else 3 * 0.05 / team < 0.01
    p_value = drifts([right, *[np.ones(0, bool)] * (team - 1)], rng)[0].p_value
    assert p_value is not None
    assert 0.01 < p_value < 0.15
    assert p_value * draws == pytest.approx(round(p_value * draws), abs=1e-6)
    assert draws == 1_000 or p_value * 1_000 != pytest.approx(round(p_value * 1_000), abs=1e-6)


def test_clear_changes_get_more_random_orders_and_never_a_chance_of_nothing() -> None:
    right = np.repeat([True, False], 200)
    (found,) = drifts([right], np.random.default_rng(0))
    assert found.p_value == 1 / 20_000


@pytest.mark.parametrize("answers", [0, 1, 39])
def test_too_few_answers_are_told_and_not_asked(answers: int) -> None:
    right = np.arange(answers) % 2 == 0
    clear = np.repeat([True, False], 100)
    few, asked = drifts([right, clear], np.random.default_rng(0))
    assert (few.p_value, few.adjusted, few.changed, few.first_after) == (None, None, False, None)
    assert [window.of for window in few.windows] == ([answers] if answers else [])
    assert sum(window.right for window in few.windows) == (answers + 1) // 2
    assert f"{answers} answers can be compared; change over time needs 40." in str(few.words)
    assert asked.adjusted == asked.p_value, "who was not asked costs nothing"


def test_chances_are_corrected_for_everybody_who_was_asked() -> None:
    """Holm: the smallest by their number, the next by one less, never falling, at most 1."""
    rng = np.random.default_rng(7)
    teams = [rng.random(100) < np.linspace(0.95, low, 100) for low in (0.0, 0.4, 0.6, 0.95, 0.95)]
    teams += [np.ones(60, bool)]
    found = drifts(teams, rng, level=0.03)
    order = sorted(range(6), key=lambda place: found[place].p_value or 0.0)
    largest = 0.0
    for rank, place in enumerate(order):
        one = found[place]
        assert one.p_value is not None
        largest = min(1.0, max(largest, one.p_value * (6 - rank)))
        assert one.adjusted == pytest.approx(largest)
        assert one.changed == (largest <= 0.03)
        assert (one.before is None) == (one.after is None) == (not one.changed)
        assert ("No change over time" in str(one.words)) == (not one.changed)
    assert found[0].changed
    assert not found[3].changed
    assert found[5].p_value == 1.0
    assert isinstance(found[0], Drift)
