"""Agreement by slice, by pair and over time is that of the part alone."""

from datetime import date, timedelta
from random import Random
from time import perf_counter

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from labeling.consensus import slices
from labeling.consensus.agreement import krippendorff_alpha
from labeling.consensus.base import LabelFrame
from labeling.consensus.kappa import cohen_kappa
from labeling.consensus.slices import agreement_by_pair, agreement_by_slice, agreement_over_time
from labeling.consensus.words import NO_OVERLAP, ONE_ANNOTATOR, ONE_CLASS

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
        assert agreement.percent is not None
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
        agreed = [given[i, pair.first] == given[i, pair.second] for i in both]
        assert pair.kappa.percent == pytest.approx(np.mean(agreed))
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


@pytest.mark.parametrize("days", [1, 2, 7, 30])
def test_periods_have_their_days_and_every_item_of_them(days: int) -> None:
    rows = random_rows(4)
    day_of = {item: date(2026, 2, 25) + timedelta(days=item // 5) for item in range(100)}
    found = agreement_over_time(
        LabelFrame.from_rows(rows), day_of, np.random.default_rng(0), days=days, resamples=20
    )
    covered = set()
    for period in found:
        assert period.last - period.first == timedelta(days=days - 1)
        assert (period.first.toordinal() - 1) % days == 0
        items = {item for item, day in day_of.items() if period.first <= day <= period.last}
        assert items
        assert not items & covered
        covered |= items
        part = LabelFrame.from_rows([row for row in rows if row[0] in items])
        alone = krippendorff_alpha(part, np.random.default_rng(0), resamples=20)
        assert period.agreement.alpha == pytest.approx(alone.alpha)
        assert (period.agreement.items, period.agreement.why) == (alone.items, alone.why)
        assert period.agreement.percent == pytest.approx(alone.percent)
    assert covered == set(day_of)
    assert found == sorted(found, key=lambda period: period.first)


def test_a_period_has_a_day_and_weights_an_order() -> None:
    frame, rng = LabelFrame.from_rows(random_rows(5)), np.random.default_rng(0)
    with pytest.raises(ValueError, match="days is 0"):
        agreement_over_time(frame, {}, rng, days=0)
    with pytest.raises(ValueError, match="order"):
        agreement_by_pair(frame, rng, weights="linear")


def test_who_labelled_in_a_slice_is_counted_slice_by_slice() -> None:
    rows = [(1, 7, "a"), (2, 8, "a"), (3, 7, "a"), (4, 7, "b"), (9, 9, "b"), (9, 8, "a")]
    slice_of = {1: "x", 2: "x", 3: "y", 4: "y", 8: "z"}
    found = agreement_by_slice(LabelFrame.from_rows(rows), slice_of, np.random.default_rng(0))
    assert {name: each.why for name, each in found.items()} == {"x": NO_OVERLAP, "y": ONE_ANNOTATOR}


@pytest.mark.parametrize("cells", [1, 3_000, 4_000_000])
def test_pairs_are_the_same_however_many_are_drawn_at_a_time(
    cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = LabelFrame.from_rows([*random_rows(6), (500, 1, "a"), (500, 77, "a")])
    monkeypatch.setattr(slices, "_CELLS", cells)
    found = agreement_by_pair(frame, np.random.default_rng(0), resamples=100)
    assert len(found) == 11
    last = found[-1]
    assert (last.first, last.second, last.kappa.kappa, last.kappa.why) == (1, 77, None, ONE_CLASS)
    assert (last.kappa.low, last.kappa.high) == (None, None)
    for pair in found[:-1]:
        own = [(i, p, label) for i, p, label in random_rows(6) if p in (pair.first, pair.second)]
        both = [i for i in range(120) if sum(row[0] == i for row in own) == 2]
        said = {(i, p): label for i, p, label in own}
        alone = cohen_kappa(
            np.array([said[i, pair.first] for i in both]),
            np.array([said[i, pair.second] for i in both]),
            np.random.default_rng(1),
            resamples=2_000,
        )
        assert pair.kappa.kappa == pytest.approx(alone.kappa)
        assert (pair.kappa.low, pair.kappa.high) == pytest.approx((alone.low, alone.high), abs=0.12)
