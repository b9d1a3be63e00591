"""Kappas against scikit-learn and the definition."""

from random import Random

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from labeling.consensus.base import LabelFrame
from labeling.consensus.kappa import (
    cell_prior,
    cohen_kappa,
    costs_of,
    fleiss_kappa,
    pair_counts,
)
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
    agreeing = [
        sum(c * (c - 1) for c in row.values()) / (n * (n - 1))
        for row in several
        for n in [sum(row.values())]
    ]
    assert found.percent == pytest.approx(np.mean(agreeing))
    assert found.low is not None
    assert found.high is not None
    assert found.low < (found.kappa or 0) < found.high


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
    assert (cohen_kappa(same, same, rng).items, cohen_kappa(same, same, rng).percent) == (2, 1.0)
    nothing = cohen_kappa(none, none, rng)
    assert (nothing.kappa, nothing.low, nothing.high) == (None, None, None)
    assert (nothing.percent, nothing.items) == (None, 0)
    for rows, why in [
        ([], NO_LABELS),
        ([(1, 1, "a"), (2, 1, "b")], ONE_ANNOTATOR),
        ([(1, 1, "a"), (1, 2, "a")], ONE_CLASS),
    ]:
        found = fleiss_kappa(LabelFrame.from_rows(rows), rng)
        assert (found.kappa, found.low, found.high, found.why) == (None, None, None, why)
        assert found.items == (1 if rows and why == ONE_CLASS else 0)
        assert found.percent == (1.0 if rows and why == ONE_CLASS else None)
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


def test_lengths_that_differ_and_unknown_labels_are_refused() -> None:
    rng, one = np.random.default_rng(0), np.array(["a", "b"])
    with pytest.raises(ValueError, match="differ in length: 2, 1"):
        cohen_kappa(one, one[:1], rng)
    with pytest.raises(ValueError, match=r"\['b'\] are not in order"):
        cohen_kappa(one, one, rng, order=["a", "c"])


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_costs_are_the_distance_of_the_places(weights: str | None) -> None:
    found = costs_of(4, weights)  # type: ignore[arg-type]
    for i in range(4):
        for j in range(4):
            expected = {None: float(i != j), "linear": abs(i - j), "quadratic": (i - j) ** 2}
            assert found[i, j] == expected[weights]


def test_the_prior_of_a_pair_is_one_item_half_of_it_agreeing_of_classes_that_were_given() -> None:
    tables = np.zeros((2, 3, 3), dtype=np.int64)
    tables[0, 0, 2] = 4  # one gave the first class, the other the third
    tables[1] = np.eye(3)
    prior = cell_prior(tables.reshape(2, 9), 3).reshape(2, 3, 3)
    assert prior[0] == pytest.approx(np.array([[0.25, 0, 0.25], [0, 0, 0], [0.25, 0, 0.25]]))
    even = np.where(np.eye(3, dtype=bool), 0.5 / 3, 0.5 / 6)
    assert prior[1] == pytest.approx(even)
    tables[0] = 0
    tables[0, 1, 1] = 2
    alone = cell_prior(tables[0].ravel(), 3).reshape(3, 3)
    assert alone.tolist() == [[0, 0, 0], [0, 0.5, 0], [0, 0, 0]]


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_a_kappa_covers_that_of_many_items(seed: int) -> None:
    first, second = (np.array(each) for each in two(seed, 20_000))
    rng = np.random.default_rng(seed)
    whole = cohen_kappa(first, second, rng).kappa
    assert whole is not None
    covered = 0
    for start in range(0, 6_000, 100):
        part = slice(start, start + 100)
        found = cohen_kappa(first[part], second[part], rng, resamples=300)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= whole <= found.high
    assert covered >= 52


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_counted_label_by_label(seed: int) -> None:
    random = Random(seed)
    rows = [
        (item, person, random.choice("abc"))
        for item in range(30)
        for person in random.sample(range(10, 17), k=random.randint(0, 6))
    ]
    random.shuffle(rows)
    order = ["c", "a", "b"]
    pairs = pair_counts(LabelFrame.from_rows(rows), order)
    said = {(item, person): label for item, person, label in rows}
    expected: dict[tuple[int, int], list[int]] = {}
    for item in range(30):
        for one in range(10, 17):
            for other in range(one + 1, 17):
                if (item, one) in said and (item, other) in said:
                    cells = expected.setdefault((one, other), [0] * 9)
                    place = order.index(said[item, one]) * 3 + order.index(said[item, other])
                    cells[place] += 1
    found = dict(zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True),
                     pairs.cells.tolist(), strict=True))  # fmt: skip
    assert found == expected
    assert pairs.classes == order
