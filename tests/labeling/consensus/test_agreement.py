"""Alpha against its definition, item by item; what it says where it has no value."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import permutations
from json import dumps
from random import Random

import numpy as np
import pytest

from labeling.consensus.agreement import krippendorff_alpha
from labeling.consensus.base import LabelFrame
from labeling.consensus.words import NO_LABELS, NO_OVERLAP, ONE_ANNOTATOR, ONE_CLASS

Rows = list[tuple[int, int, str]]
ORDER = ["poor", "fair", "good", "perfect"]


def random_rows(seed: int, items: int = 60, people: int = 5) -> Rows:
    random = Random(seed)
    rows = [
        (item, person, ORDER[min(3, item % 4 + random.choice([0, 0, 1]))])
        for item in range(items)
        for person in range(people)
        if random.random() < 0.6
    ]
    random.shuffle(rows)
    return rows


def alpha_by_pairs(rows: Rows, distance: Callable[[str, str, Counter[str]], float]) -> float:
    by_item: dict[int, list[str]] = {}
    for item, _, label in rows:
        by_item.setdefault(item, []).append(label)
    pairs: Counter[tuple[str, str]] = Counter()
    for labels in by_item.values():
        if len(labels) > 1:
            for pair in permutations(labels, 2):
                pairs[pair] += 1 / (len(labels) - 1)  # type: ignore[assignment]
    margins: Counter[str] = Counter()
    for (first, _), weight in pairs.items():
        margins[first] += weight
    observed = sum(w * distance(a, b, margins) for (a, b), w in pairs.items())
    expected = sum(
        margins[a] * margins[b] * distance(a, b, margins) for a in margins for b in margins
    )
    return 1 - (sum(margins.values()) - 1) * observed / expected


def nominal(first: str, second: str, margins: Counter[str]) -> float:
    return float(first != second)


def ordinal(first: str, second: str, margins: Counter[str]) -> float:
    low, high = sorted([ORDER.index(first), ORDER.index(second)])
    between = sum(margins[name] for name in ORDER[low : high + 1])
    return (between - (margins[first] + margins[second]) / 2) ** 2


@pytest.mark.parametrize("seed", range(10))
def test_nominal_and_ordinal_alpha_are_the_definition(seed: int) -> None:
    rows = random_rows(seed)
    frame, rng = LabelFrame.from_rows(rows), np.random.default_rng(seed)
    plain = krippendorff_alpha(frame, rng)
    ranked = krippendorff_alpha(frame, rng, order=ORDER)
    assert plain.alpha == pytest.approx(alpha_by_pairs(rows, nominal))
    assert ranked.alpha == pytest.approx(alpha_by_pairs(rows, ordinal))
    assert ranked.low is not None
    assert ranked.high is not None
    assert ranked.low < ranked.alpha < ranked.high
    # Neighbours are confused here: by rank that is hardly a disagreement.
    assert ranked.alpha > plain.alpha + 0.1


def test_a_class_that_nobody_gave_changes_nothing() -> None:
    frame = LabelFrame.from_rows(random_rows(3))
    same = [
        krippendorff_alpha(frame, np.random.default_rng(0), order=order)
        for order in (ORDER, ["none", *ORDER, "beyond"])
    ]
    assert same[0] == same[1]


def test_the_interval_covers_what_many_items_show() -> None:
    def drawn(items: int, seed: int) -> LabelFrame:
        return LabelFrame.from_rows(random_rows(seed, items))

    whole = krippendorff_alpha(drawn(6_000, 99), np.random.default_rng(0), order=ORDER).alpha
    assert whole is not None
    covered = 0
    for seed in range(60):
        found = krippendorff_alpha(
            drawn(80, seed), np.random.default_rng(seed), order=ORDER, resamples=300
        )
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= whole <= found.high
    assert covered >= 50


@pytest.mark.parametrize("items", [8, 30])
@pytest.mark.parametrize("skill", [0.7, 0.95])
@pytest.mark.parametrize("order", [None, ["a", "b", "c"]])
def test_the_interval_covers_with_few_items_and_hardly_a_disagreement(
    items: int, skill: float, order: list[str] | None
) -> None:
    def drawn(items: int, seed: int) -> LabelFrame:
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 3, items)
        rows = [
            (item, person, "abc"[truth[item] if rng.random() < skill else rng.integers(3)])
            for item in range(items)
            for person in range(2)
        ]
        return LabelFrame.from_rows(rows)

    whole = krippendorff_alpha(drawn(8_000, 999), np.random.default_rng(0), order=order).alpha
    assert whole is not None
    covered = known = 0
    for seed in range(100):
        found = krippendorff_alpha(
            drawn(items, seed), np.random.default_rng(seed), order=order, resamples=300
        )
        if found.low is not None and found.high is not None:
            known += 1
            covered += found.low <= whole <= found.high
    assert known >= 95
    assert covered >= 0.88 * known


def test_no_disagreement_among_few_items_is_not_certainty() -> None:
    lows = []
    for items in (4, 12, 40, 400):
        rows = [(item, person, "ab"[item % 2]) for item in range(items) for person in range(2)]
        found = krippendorff_alpha(LabelFrame.from_rows(rows), np.random.default_rng(0))
        assert (found.alpha, found.high) == (1, 1)
        assert found.low is not None
        lows.append(found.low)
    assert lows == sorted(lows)
    assert lows[1] < 0.9
    assert lows[3] > 0.97


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], NO_LABELS),
        ([(1, 1, "good"), (2, 1, "poor")], ONE_ANNOTATOR),
        ([(1, 1, "good"), (2, 2, "poor")], NO_OVERLAP),
        ([(1, 1, "good"), (1, 2, "good")], ONE_CLASS),
    ],
)
@pytest.mark.parametrize("order", [None, ORDER])
def test_no_value_says_why(rows: Rows, why: object, order: list[str] | None) -> None:
    found = krippendorff_alpha(LabelFrame.from_rows(rows), np.random.default_rng(0), order=order)
    assert (found.alpha, found.low, found.high, found.why) == (None, None, None, why)
    assert "NaN" not in dumps(asdict(found))


def test_a_label_outside_the_order_is_refused() -> None:
    frame = LabelFrame.from_rows([(1, 1, "good"), (1, 2, "odd")])
    with pytest.raises(ValueError, match="odd"):
        krippendorff_alpha(frame, np.random.default_rng(0), order=ORDER)
    with pytest.raises(ValueError, match="twice"):
        krippendorff_alpha(frame, np.random.default_rng(0), order=[*ORDER, "good"])
