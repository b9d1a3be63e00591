"""Patterns, what others could have had, and draws around them; against counts by hand."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from labeling.consensus import resampling
from labeling.consensus.resampling import (
    bootstrap_interval,
    draw_weights,
    interval_of,
    patterns_of,
    unseen_patterns,
    value_or_none,
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("columns", "most"), [(1, 3), (3, 2), (4, 9), (70, 2), (12, 40)])
def test_patterns_are_the_different_rows_and_how_often_each_comes(
    seed: int, columns: int, most: int
) -> None:
    rng = np.random.default_rng(seed)
    few = rng.integers(0, most + 1, (5, columns))
    table = few[rng.integers(0, 5, 40)]
    patterns, times = patterns_of(table)
    found = dict(zip(map(tuple, patterns.tolist()), times.tolist(), strict=True))
    assert found == dict(Counter(map(tuple, table.tolist())))
    assert len(found) == len(patterns)
    if columns * np.log2(most + 1) < 62:
        assert times.sum() == 40


def test_rows_whose_numbers_would_not_fit_are_told_apart_all_the_same() -> None:
    """In base 2 the first and the last of 65 columns have the same place, modulo 2 ** 64."""
    table = np.zeros((3, 65), dtype=np.int64)
    table[0, 0] = table[1, 64] = table[2, 63] = 1
    patterns, times = patterns_of(table)
    assert len(patterns) == 3
    assert times.tolist() == [1, 1, 1]


def test_no_rows_have_no_patterns() -> None:
    patterns, times = patterns_of(np.zeros((0, 3), dtype=np.int64))
    assert (len(patterns), len(times)) == (0, 0)


def test_others_could_agree_on_each_class_or_have_one_dissenter_of_each_pair() -> None:
    patterns = np.array([[3, 0, 0, 0], [1, 0, 2, 0], [0, 0, 0, 4]])
    times = np.array([5, 2, 1])
    counts, known, prior = unseen_patterns(patterns, times)
    assert counts[:3].tolist() == patterns.tolist()
    assert known.tolist() == [5, 2, 1, *[0] * 9]
    labels = 3  # (5 * 3 + 2 * 3 + 1 * 4) / 8, rounded
    used = (0, 2, 3)  # nobody gave the second class
    agreed = [[labels * (k == one) for k in range(4)] for one in used]
    split = [
        [(labels - 1) * (k == most) + (k == other) for k in range(4)]
        for most, other in permutations(used, 2)
    ]
    expected = {tuple(row): 0.5 / 3 for row in agreed} | {tuple(row): 0.5 / 6 for row in split}
    found = dict(zip(map(tuple, counts[3:].tolist()), prior[3:].tolist(), strict=True))
    assert found == pytest.approx(expected)
    assert prior[:3].tolist() == [0, 0, 0]
    assert prior.sum() == pytest.approx(1.0)


def test_of_one_class_others_could_only_agree() -> None:
    counts, known, prior = unseen_patterns(np.array([[0, 1]]), np.array([4]))
    assert counts.tolist() == [[0, 1], [0, 2]], "an item that counts has two labels at least"
    assert (known.tolist(), prior.tolist()) == ([4, 0], [0.0, 0.5])


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_draws_vary_around_the_items_and_one_of_prior_as_those_of_one_item_less(
    shape: tuple[int, ...],
) -> None:
    times = np.broadcast_to(np.array([6, 3, 0]), shape)
    prior = np.broadcast_to(np.array([0.0, 0.25, 0.75]), shape)
    drawn = draw_weights(times, prior, np.random.default_rng(0), 40_000)
    assert drawn.shape == (40_000, *shape)
    assert drawn.sum(axis=-1) == pytest.approx(np.full(drawn.shape[:-1], 9.0))
    shares = (times + prior) / 10
    assert drawn.mean(axis=0) == pytest.approx(9 * shares, abs=0.05)
    # Dirichlet of shapes that sum to n - 1.
    assert drawn.var(axis=0) == pytest.approx(81 * shares * (1 - shares) / 9, rel=0.05)
    alone = draw_weights(np.array([1, 0]), np.array([0.5, 0.5]), np.random.default_rng(0), 40_000)
    assert alone.var(axis=0) == pytest.approx(np.full(2, 0.75 * 0.25 / 2), rel=0.05)


def test_the_interval_is_the_middle_of_the_draws_that_have_a_value_and_holds_it() -> None:
    values = np.random.default_rng(0).permutation(np.arange(1001.0))
    assert interval_of(values, 500.0) == pytest.approx((25.0, 975.0))
    assert interval_of(values, 3.0) == pytest.approx((3.0, 975.0))
    assert interval_of(values, 990.0) == pytest.approx((25.0, 990.0))
    assert interval_of(values, np.nan) == (None, None)
    some = np.append(values, np.full(1001, np.nan))
    assert interval_of(some, 500.0) == pytest.approx((25.0, 975.0))
    assert interval_of(np.append(some, np.nan), 500.0) == (None, None)
    assert value_or_none(np.nan) is None
    assert value_or_none(0.0) == 0.0


@pytest.mark.parametrize("cells", [1, 7, 900, 2_000_000])
def test_the_interval_is_the_same_however_many_draws_are_held_at_a_time(
    cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    times, prior = np.array([4, 3, 0]), np.array([0.0, 0.5, 0.5])
    seen = []

    def share(weights: np.ndarray) -> np.ndarray:
        seen.append(len(weights))
        return np.asarray(weights[:, 0] / weights.sum(axis=1))

    monkeypatch.setattr(resampling, "_CELLS", cells)
    found = bootstrap_interval(share, times, prior, np.random.default_rng(3), 500)
    draws = draw_weights(times, prior, np.random.default_rng(3), 500)
    assert found == pytest.approx(interval_of(draws[:, 0] / 7, 4 / 7))
    assert sum(seen) == 501
    assert max(seen) <= max(1, cells // 3)
