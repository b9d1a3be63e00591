"""Quality against counts by hand; drift without false alarms; nothing known is said so."""

from dataclasses import asdict
from json import dumps

import numpy as np
import pytest
from scipy.stats import binomtest

from labeling.consensus.annotator_quality import NO_GOLD, NO_OTHERS, annotator_quality
from labeling.consensus.base import LabelFrame
from labeling.consensus.drift import drifts
from labeling.consensus.rates import rate
from labeling.consensus.words import Words

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
    found = rate(right, of, Words("", ""))
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
    assert "fell from 9" in quality.drift.words.en
    assert "下降" in quality.drift.words.zh
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
