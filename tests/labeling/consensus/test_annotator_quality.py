"""Quality against counts by hand; drift without false alarms; nothing known is said so."""

from collections import Counter
from dataclasses import asdict
from json import dumps
from random import Random

import numpy as np
import pytest
from scipy.stats import binomtest

from labeling.consensus.annotator_quality import NO_GOLD, NO_OTHERS, annotator_quality
from labeling.consensus.base import LabelFrame
from labeling.consensus.drift import drifts
from labeling.consensus.rates import rate
from labeling.words import Words
from tests.fixtures.chinese import in_chinese
from tests.labeling.consensus.rows import random_rows

ROWS = [
    (1, 1, "a"), (1, 2, "a"), (1, 3, "b"),
    (2, 1, "b"), (2, 2, "a"),
    (3, 1, "b"), (3, 2, "b"), (3, 3, "a"),
    (4, 3, "a"),
]  # fmt: skip


def test_counts_by_hand() -> None:
    seconds = np.array([2, 9, 1, 4, np.nan, 600, 11, 0, 3.0])
    found = annotator_quality(
        LabelFrame.from_rows(ROWS),
        np.random.default_rng(0),
        gold={1: "a", 2: "b", 3: "gone"},
        seconds=seconds,
        skips={3: 1, 8: 2},
    )
    one, two, three, skipper = (found[person] for person in (1, 2, 3, 8))
    assert (one.against_gold.right, one.against_gold.of) == (2, 3)
    assert (two.against_gold.right, two.against_gold.of) == (1, 3)
    # The others of item 1 say a and b to annotator 1: a tie, not counted.
    assert (one.against_others.right, one.against_others.of) == (0, 1)
    assert (three.against_others.right, three.against_others.of) == (0, 2)
    assert three.others_confusion.table.tolist() == [[0, 1], [1, 0]]
    assert one.gold_confusion.classes == ["a", "b", "gone"]
    assert one.gold_confusion.table.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert one.speed.median == 4
    assert (three.speed.median, three.speed.answers) == (2, 2)
    assert three.skip_rate.value == pytest.approx(0.25)
    assert (skipper.answers, skipper.skip_rate.value, skipper.against_gold.why) == (0, 1, NO_GOLD)


@pytest.mark.parametrize(("right", "of"), [(0, 5), (5, 5), (37, 40), (1, 1)])
def test_the_interval_is_the_exact_one(right: int, of: int) -> None:
    exact = binomtest(right, of).proportion_ci(method="exact")
    found = rate(right, of, Words(""))
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_nothing_known_is_said_and_never_nan() -> None:
    rng = np.random.default_rng(0)
    assert annotator_quality(LabelFrame.from_rows([]), rng) == {}
    (alone,) = annotator_quality(LabelFrame.from_rows([(1, 5, "a"), (2, 5, "b")]), rng).values()
    assert (alone.against_gold.value, alone.against_gold.why) == (None, NO_GOLD)
    assert (alone.against_others.value, alone.against_others.why) == (None, NO_OTHERS)
    assert alone.speed.median is None
    assert alone.speed.why is not None
    assert (alone.drift.p_value, alone.drift.changed, alone.drift.windows) == (None, False, ())
    everything = dumps(asdict(alone), default=lambda table: table.tolist())
    assert "NaN" not in everything
    same = [(item, person, "a") for item in range(50) for person in (1, 2, 3)]
    for quality in annotator_quality(LabelFrame.from_rows(same), rng).values():
        assert quality.against_others.value == 1
        assert quality.drift.p_value == 1
        assert not quality.drift.changed


def test_lengths_must_fit() -> None:
    with pytest.raises(ValueError, match="seconds has 1 rows, the frame 9"):
        annotator_quality(
            LabelFrame.from_rows(ROWS), np.random.default_rng(0), seconds=np.array([1.0])
        )


def test_times_say_the_order_and_a_fall_is_found() -> None:
    rng = np.random.default_rng(1)
    n = 400
    right = np.concatenate([rng.random(200) < 0.95, rng.random(200) < 0.7])
    rows = [(item, 1, "a" if good else "b") for item, good in enumerate(right)]
    mixed = rng.permutation(n)
    frame = LabelFrame.from_rows([rows[place] for place in mixed])
    gold = dict.fromkeys(range(n), "a")
    quality = annotator_quality(frame, rng, gold=gold, times=mixed)[1]
    assert quality.drift.changed
    assert quality.drift.first_after is not None
    assert 150 <= quality.drift.first_after <= 250
    assert "fell from 9" in str(quality.drift.words)
    assert "下降" in in_chinese(quality.drift.words)
    unordered = annotator_quality(frame, rng, gold=gold)[1]
    assert not unordered.drift.changed


def test_false_alarms_of_drift_are_as_rare_as_asked() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(60):
        teams = [rng.random(rng.integers(40, 300)) < rng.uniform(0.6, 0.99) for _ in range(8)]
        alarms += any(found.changed for found in drifts(teams, rng))
    # Of 60 teams 3 are expected; 9 or more have a chance of 0.3 %.
    assert alarms < 9


def test_real_change_is_found_among_many() -> None:
    rng = np.random.default_rng(3)
    teams = [rng.random(200) < 0.9 for _ in range(60)]
    teams[7] = np.concatenate([rng.random(120) < 0.92, rng.random(80) < 0.5])
    found = drifts(teams, rng)
    assert found[7].changed
    assert sum(one.changed for one in found) <= 2


@pytest.mark.parametrize("seed", range(5))
def test_everything_that_is_told_of_an_annotator_is_counted_answer_by_answer(seed: int) -> None:
    random = Random(seed)
    rows, truth = random_rows(seed, items=40, people=5, votes=0.5)
    gold = {item: random.choice((kind, "never")) for item, kind in truth.items() if item % 3 == 0}
    seconds = np.array([random.choice((random.uniform(1, 90), np.nan, 0, -3)) for _ in rows])
    skips = {1: 4, 3: 0, 77: 2}
    found = annotator_quality(
        LabelFrame.from_rows(rows),
        np.random.default_rng(0),
        gold=gold,
        seconds=seconds,
        skips=skips,
    )
    assert list(found) == sorted({who for _, who, _ in rows} | skips.keys())
    for who, one in found.items():
        own = [place for place, row in enumerate(rows) if row[1] == who]
        pairs = [(gold[rows[n][0]], rows[n][2]) for n in own if rows[n][0] in gold]
        beside = []
        for n in own:
            item, _, label = rows[n]
            others = Counter(k for i, w, k in rows if i == item and w != who)
            top = [k for k, times in others.items() if times == max(others.values())]
            if len(top) == 1:
                beside.append((top[0], label))
        times = [s for s in seconds[own] if s > 0]
        skipped = skips.get(who, 0)
        assert (one.annotator, one.answers) == (who, len(own))
        for measured, known in ((one.against_gold, pairs), (one.against_others, beside)):
            right = sum(a == b for a, b in known)
            assert (measured.right, measured.of) == (right, len(known))
        for confusion, known in ((one.gold_confusion, pairs), (one.others_confusion, beside)):
            counted = Counter(known)
            names = confusion.classes
            assert confusion.table.tolist() == [[counted[t, c] for c in names] for t in names]
            assert int(confusion.table.sum()) == len(known)
        assert one.speed.answers == len(times)
        if times:
            quarters = np.quantile(times, [0.25, 0.5, 0.75])
            told = (one.speed.low_quartile, one.speed.median, one.speed.high_quartile)
            assert told == pytest.approx(quarters)
            assert one.speed.why is None
        else:
            assert (one.speed.median, one.speed.low_quartile) == (None, None)
        assert (one.skip_rate.right, one.skip_rate.of) == (skipped, skipped + len(own))


@pytest.mark.parametrize(("known", "is_gold"), [(39, False), (40, True)])
def test_change_is_told_by_gold_from_two_windows_of_it_on_and_else_by_the_others(
    known: int, is_gold: bool
) -> None:
    rows = [(item, who, "a" if who or item < 50 else "b") for item in range(100) for who in (0, 1)]
    right = annotator_quality(
        LabelFrame.from_rows(rows), np.random.default_rng(0), gold=dict.fromkeys(range(known), "b")
    )[0]
    shares = [window.value for window in right.drift.windows]
    assert sum(window.of for window in right.drift.windows) == (known if is_gold else 100)
    assert shares == ([0.0, 0.0] if is_gold else [1.0, 1.0, 0.5, 0.0, 0.0])


def test_a_rate_says_its_share_and_why_there_is_none() -> None:
    why = Words("because")
    found = rate(3, 4, why, level=0.8)
    exact = binomtest(3, 4).proportion_ci(0.8, method="exact")
    assert (found.value, found.right, found.of, found.why) == (0.75, 3, 4, None)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    none = rate(0, 0, why)
    assert (none.value, none.low, none.high, none.right, none.of) == (None, None, None, 0, 0)
    assert none.why is why
