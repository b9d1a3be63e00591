"""Votes and agreement against brute force and scikit-learn, on shuffled random input."""

from collections import Counter
from itertools import permutations
from random import Random

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import MajorityVote
from crowdkit.metrics.data import alpha_krippendorff
from sklearn.metrics import cohen_kappa_score

from labeling.consensus.agreement import cohen_kappas, krippendorff_alpha
from labeling.consensus.base import LabelFrame
from labeling.consensus.majority_vote import majority_vote

Rows = list[tuple[int, int, str]]


def random_rows(seed: int, items: int = 60, people: int = 5) -> Rows:
    random = Random(seed)
    rows = [
        (item, person, random.choice("aab") if random.random() < 0.5 else "abc"[item % 3])
        for item in range(items)
        for person in range(people)
        if random.random() < 0.7
    ]
    random.shuffle(rows)
    return rows


def alpha_by_pairs(rows: Rows) -> float:
    """The definition, pair by pair."""
    by_item: dict[int, list[str]] = {}
    for item, _, label in rows:
        by_item.setdefault(item, []).append(label)
    coincidences: Counter[tuple[str, str]] = Counter()
    for labels in by_item.values():
        if len(labels) > 1:
            for first, second in permutations(labels, 2):
                coincidences[first, second] += 1 / (len(labels) - 1)  # type: ignore[assignment]
    margins: Counter[str] = Counter()
    for (first, _), weight in coincidences.items():
        margins[first] += weight
    total = sum(margins.values())
    observed = sum(w for (a, b), w in coincidences.items() if a != b)
    expected = sum(margins[a] * margins[b] for a in margins for b in margins if a != b)
    return 1 - (total - 1) * observed / expected


@pytest.mark.parametrize("seed", range(20))
def test_alpha_is_the_definition(seed: int) -> None:
    rows = random_rows(seed)
    agreement = krippendorff_alpha(LabelFrame.from_rows(rows), np.random.default_rng(seed))
    assert agreement.alpha == pytest.approx(alpha_by_pairs(rows))
    assert agreement.low is not None
    assert agreement.high is not None
    assert agreement.low <= agreement.alpha <= agreement.high


def test_the_interval_is_the_one_of_items_drawn_with_replacement() -> None:
    rows = random_rows(3)
    agreement = krippendorff_alpha(LabelFrame.from_rows(rows), np.random.default_rng(0))
    by_item: dict[int, Rows] = {}
    for row in rows:
        by_item.setdefault(row[0], []).append(row)
    pairable = [group for group in by_item.values() if len(group) > 1]
    random = Random(1)
    alphas = [
        alpha_by_pairs(
            [
                (number, person, label)
                for number, group in enumerate(random.choices(pairable, k=len(pairable)))
                for _, person, label in group
            ]
        )
        for _ in range(1_000)
    ]
    expected = np.quantile(alphas, [0.025, 0.975])
    assert [agreement.low, agreement.high] == pytest.approx(expected, abs=0.03)


def test_alpha_of_krippendorffs_own_example() -> None:
    # Two observers, ten units, binary: alpha = 0.095 (Krippendorff 2011, section A).
    first, second = "0100000010", "1110010000"
    rows = [(unit, 0, label) for unit, label in enumerate(first)]
    rows += [(unit, 1, label) for unit, label in enumerate(second)]
    agreement = krippendorff_alpha(LabelFrame.from_rows(rows), np.random.default_rng(0))
    assert agreement.alpha == pytest.approx(0.095, abs=0.001)
    assert agreement.percent == pytest.approx(0.6)


def test_alpha_is_undefined_without_pairs_or_variety() -> None:
    rng = np.random.default_rng(0)
    assert krippendorff_alpha(LabelFrame.from_rows([]), rng).alpha is None
    assert krippendorff_alpha(LabelFrame.from_rows([(1, 1, "a")]), rng).alpha is None
    same = [(item, person, "a") for item in range(3) for person in range(2)]
    assert krippendorff_alpha(LabelFrame.from_rows(same), rng).alpha is None


@pytest.mark.parametrize("seed", range(10))
def test_majority_is_the_count(seed: int) -> None:
    rows = random_rows(seed)
    found = majority_vote(LabelFrame.from_rows(rows))
    for item in {row[0] for row in rows}:
        counts = Counter(label for other, _, label in rows if other == item).most_common()
        is_tied = len(counts) > 1 and counts[0][1] == counts[1][1]
        assert found[item].label == (None if is_tied else counts[0][0])
        assert found[item].votes == sum(n for _, n in counts)
        assert found[item].share == pytest.approx(counts[0][1] / found[item].votes)


@pytest.mark.filterwarnings("ignore:The inplace keyword:Warning")  # crowd-kit on pandas 3.1
@pytest.mark.parametrize("seed", range(5))
def test_alpha_and_majority_are_crowd_kits(seed: int) -> None:
    rows = random_rows(seed)
    table = pd.DataFrame(rows, columns=["task", "worker", "label"])
    frame = LabelFrame.from_rows(rows)
    agreement = krippendorff_alpha(frame, np.random.default_rng(seed))
    pairable = table[table.groupby("task")["label"].transform("size") > 1]
    assert agreement.alpha == pytest.approx(alpha_krippendorff(pairable))
    theirs = MajorityVote().fit_predict(table)
    ours = {item: found.label for item, found in majority_vote(frame).items() if found.label}
    assert len(ours) > 40
    assert ours == {item: theirs[item] for item in ours}, "ties apart, which it breaks"


@pytest.mark.parametrize("seed", range(10))
def test_kappa_is_scikit_learns(seed: int) -> None:
    rows = random_rows(seed)
    for (first, second), kappa in cohen_kappas(LabelFrame.from_rows(rows)).items():
        given = {p: {i: label for i, q, label in rows if q == p} for p in (first, second)}
        both = sorted(given[first].keys() & given[second].keys())
        expected = cohen_kappa_score(
            [given[first][i] for i in both], [given[second][i] for i in both]
        )
        assert kappa == pytest.approx(expected)


def test_a_frame_of_unequal_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        LabelFrame(np.array([1]), np.array([1, 2]), np.array(["a"]))
