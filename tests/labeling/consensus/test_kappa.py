"""Kappas against scikit-learn and the definition."""

from random import Random

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from labeling.consensus.base import LabelFrame
from labeling.consensus.kappa import cohen_kappa, fleiss_kappa, pair_counts
from labeling.consensus.slices import agreement_by_pair
from labeling.consensus.words import NO_LABELS, NO_OVERLAP, ONE_ANNOTATOR, ONE_CLASS

ORDER = ["c", "a", "d", "b"]


def two(seed: int, items: int = 80) -> tuple[list[str], list[str]]:
    random = Random(seed)
    first = [random.choice(ORDER) for _ in range(items)]
    return first, [one if random.random() < 0.6 else random.choice(ORDER) for one in first]


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@pytest.mark.parametrize("seed", range(6))
def test_cohen_is_that_of_scikit_learn(seed: int, weights: str | None) -> None:
    first, second = two(seed)
    found = cohen_kappa(
        np.array(first),
        np.array(second),
        np.random.default_rng(seed),
        order=ORDER,
        weights=weights,  # type: ignore[arg-type]
    )
    assert found.kappa == pytest.approx(
        cohen_kappa_score(first, second, labels=ORDER, weights=weights)
    )
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.kappa < found.high
    assert found.percent == pytest.approx(
        np.mean([a == b for a, b in zip(first, second, strict=True)])
    )


def fleiss_by_hand(table: list[dict[str, int]]) -> float:
    classes = sorted({name for row in table for name in row})
    agreed, shares = [], dict.fromkeys(classes, 0.0)
    for row in table:
        n = sum(row.values())
        agreed.append(sum(c * (c - 1) for c in row.values()) / (n * (n - 1)))
        for name, count in row.items():
            shares[name] += count / n / len(table)
    chance = sum(share**2 for share in shares.values())
    return (sum(agreed) / len(table) - chance) / (1 - chance)


def test_fleiss_is_the_worked_example_of_1971() -> None:
    # The table of ten subjects, fourteen raters and five classes with kappa 0.210.
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    rows = []
    for item, counts in enumerate(table):
        labels = [str(place) for place, count in enumerate(counts) for _ in range(count)]
        rows += [(item, person, label) for person, label in enumerate(labels)]
    Random(1).shuffle(rows)
    found = fleiss_kappa(LabelFrame.from_rows(rows), np.random.default_rng(0))
    assert found.kappa == pytest.approx(0.210, abs=0.0005)


@pytest.mark.parametrize("seed", range(5))
def test_fleiss_with_unequal_numbers_of_answers(seed: int) -> None:
    random = Random(seed)
    rows = [
        (item, person, random.choice("ab" if item % 2 else "bbc"))
        for item in range(50)
        for person in range(random.randint(1, 5))
    ]
    random.shuffle(rows)
    table: dict[int, dict[str, int]] = {}
    for item, _, label in rows:
        counts = table.setdefault(item, {})
        counts[label] = counts.get(label, 0) + 1
    several = [row for row in table.values() if sum(row.values()) > 1]
    found = fleiss_kappa(LabelFrame.from_rows(rows), np.random.default_rng(seed))
    assert found.kappa == pytest.approx(fleiss_by_hand(several))
    assert found.items == len(several)


def test_pairs_count_what_both_answered() -> None:
    rows = [(1, 9, "a"), (1, 4, "b"), (2, 9, "b"), (2, 4, "b"), (3, 7, "a"), (1, 7, "a")]
    pairs = pair_counts(LabelFrame.from_rows(rows))
    assert list(zip(pairs.first, pairs.second, strict=True)) == [(4, 7), (4, 9), (7, 9)]
    assert pairs.cells.tolist() == [[0, 0, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]]


def test_no_value_says_why() -> None:
    rng = np.random.default_rng(0)
    none, same = np.array([], dtype=str), np.array(["a", "a"])
    assert cohen_kappa(none, none, rng).why == NO_OVERLAP
    assert cohen_kappa(same, same, rng).why == ONE_CLASS
    assert cohen_kappa(same, same, rng).kappa is None
    for rows, why in [
        ([], NO_LABELS),
        ([(1, 1, "a"), (2, 1, "b")], ONE_ANNOTATOR),
        ([(1, 1, "a"), (1, 2, "a")], ONE_CLASS),
    ]:
        found = fleiss_kappa(LabelFrame.from_rows(rows), rng)
        assert (found.kappa, found.low, found.why) == (None, None, why)
    assert not len(pair_counts(LabelFrame.from_rows([])).first)


def test_weights_need_an_order() -> None:
    with pytest.raises(ValueError, match="order"):
        cohen_kappa(np.array(["a"]), np.array(["a"]), np.random.default_rng(0), weights="linear")


@pytest.mark.parametrize("classes", ["ab", "abcde"])
def test_no_disagreement_among_few_items_is_not_certainty(classes: str) -> None:
    same = np.array([classes[item % len(classes)] for item in range(10)])
    rows = [(item, who, str(label)) for item, label in enumerate(same) for who in (0, 1)]
    frame, rng = LabelFrame.from_rows(rows), np.random.default_rng(0)
    (pair,) = agreement_by_pair(frame, rng)
    for found in (cohen_kappa(same, same, rng), fleiss_kappa(frame, rng), pair.kappa):
        assert (found.kappa, found.high) == (1, 1)
        assert found.low is not None
        assert 0.3 < found.low < 0.95


def test_an_order_that_names_a_class_twice_is_refused() -> None:
    one = np.array(["a", "b"])
    with pytest.raises(ValueError, match="twice"):
        cohen_kappa(one, one, np.random.default_rng(0), order=["a", "b", "a"], weights="linear")
