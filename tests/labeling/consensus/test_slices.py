"""Agreement by slice, by pair and over time is that of the part alone."""

from datetime import date, timedelta
from random import Random
from time import perf_counter

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from labeling.consensus.agreement import krippendorff_alpha
from labeling.consensus.base import LabelFrame
from labeling.consensus.slices import agreement_by_pair, agreement_by_slice, agreement_over_time
from labeling.consensus.words import ONE_ANNOTATOR

Rows = list[tuple[int, int, str]]
ORDER = ["a", "b", "c"]


def random_rows(seed: int) -> Rows:
    random = Random(seed)
    rows = [
        (item, person, "abc"[item % 3] if random.random() < 0.7 else random.choice("abc"))
        for item in range(120)
        for person in range(5)
        if random.random() < 0.6
    ]
    random.shuffle(rows)
    return rows


@pytest.mark.parametrize("order", [None, ORDER])
def test_slices_are_the_alpha_of_their_items(order: list[str] | None) -> None:
    rows = random_rows(1)
    slice_of = {item: f"shop {item % 4}" for item in range(110)}
    found = agreement_by_slice(
        LabelFrame.from_rows(rows), slice_of, np.random.default_rng(0), order=order
    )
    assert list(found) == ["shop 0", "shop 1", "shop 2", "shop 3"]
    for name, agreement in found.items():
        part = LabelFrame.from_rows([row for row in rows if slice_of.get(row[0]) == name])
        alone = krippendorff_alpha(part, np.random.default_rng(0), order=order)
        assert agreement.alpha == pytest.approx(alone.alpha)
        assert agreement.items == alone.items


def test_weeks_begin_on_monday_and_stay_where_they_are() -> None:
    rows = random_rows(2)
    first = date(2026, 3, 4)
    day_of = {item: first + timedelta(days=item // 10) for item in range(120)}
    frame = LabelFrame.from_rows(rows)
    found = agreement_over_time(frame, day_of, np.random.default_rng(0))
    assert [period.first for period in found] == [date(2026, 3, 2), date(2026, 3, 9)]
    assert found[0].last == date(2026, 3, 8)
    part = [row for row in rows if day_of[row[0]] <= date(2026, 3, 8)]
    alone = krippendorff_alpha(LabelFrame.from_rows(part), np.random.default_rng(0))
    assert found[0].agreement.alpha == pytest.approx(alone.alpha)
    earlier = {item: day - timedelta(days=7) if item == 0 else day for item, day in day_of.items()}
    again = agreement_over_time(frame, earlier, np.random.default_rng(0))
    assert [period.first for period in again][1:] == [period.first for period in found]


def test_pairs_are_those_of_scikit_learn_least_agreeing_first() -> None:
    rows = random_rows(3)
    given = {(item, person): label for item, person, label in rows}
    found = agreement_by_pair(
        LabelFrame.from_rows(rows), np.random.default_rng(0), order=ORDER, weights="quadratic"
    )
    assert len(found) == 10
    values = [pair.kappa.kappa for pair in found]
    assert values == sorted(values, key=lambda value: value or 0)
    for pair in found:
        both = [i for i in range(120) if (i, pair.first) in given and (i, pair.second) in given]
        expected = cohen_kappa_score(
            [given[i, pair.first] for i in both],
            [given[i, pair.second] for i in both],
            labels=ORDER,
            weights="quadratic",
        )
        assert pair.kappa.kappa == pytest.approx(expected)
        assert pair.kappa.items == len(both)
        assert pair.kappa.low is not None
        assert pair.kappa.high is not None
        assert pair.kappa.low < expected < pair.kappa.high


def test_nothing_and_one_annotator() -> None:
    rng = np.random.default_rng(0)
    nothing = LabelFrame.from_rows([])
    assert agreement_by_slice(nothing, {}, rng) == {}
    assert agreement_over_time(nothing, {}, rng) == []
    assert agreement_by_pair(nothing, rng) == []
    alone = LabelFrame.from_rows([(1, 1, "a"), (2, 1, "b")])
    assert agreement_by_pair(alone, rng) == []
    assert agreement_by_slice(alone, {}, rng) == {}
    (found,) = agreement_by_slice(alone, {1: "x", 2: "x"}, rng).values()
    assert (found.alpha, found.why) == (None, ONE_ANNOTATOR)
    assert agreement_over_time(alone, {}, rng) == []


def test_300k_labels_in_seconds() -> None:
    rng = np.random.default_rng(0)
    items = np.repeat(np.arange(100_000), 3)
    people = (rng.integers(0, 30, len(items)) * 3 + np.tile([0, 1, 2], 100_000)).astype(np.int64)
    labels = np.array(ORDER)[(items + rng.integers(0, 2, len(items))) % 3]
    frame = LabelFrame(items, people, labels)
    start = perf_counter()
    agreement_by_slice(frame, {i: str(i % 20) for i in range(100_000)}, rng, order=ORDER)
    agreement_by_pair(frame, rng, resamples=200)
    assert perf_counter() - start < 20
