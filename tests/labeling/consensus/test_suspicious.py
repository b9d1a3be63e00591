"""Crafted patterns are found with their evidence; honest annotators are left in peace."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from labeling.consensus.base import LabelFrame
from labeling.consensus.suspicious import SuspicionReport, suspicions, tail_bound

CLASSES = np.array(["good", "fair", "poor"])


def team(
    rng: np.random.Generator,
    people: int = 10,
    items: int = 400,
    votes: int = 3,
    shares: tuple[float, float, float] = (0.6, 0.3, 0.1),
) -> tuple[LabelFrame, NDArray[np.intp], NDArray[np.float64], NDArray[np.str_]]:
    """Honest people of different skill and pace; suggestions right to 85 %, sometimes leant on."""
    truth = rng.choice(3, items, p=shares)
    suggested = np.where(rng.random(items) < 0.85, truth, rng.integers(0, 3, items))
    who = np.array([rng.permutation(people)[:votes] for _ in range(items)]).ravel()
    what = np.repeat(np.arange(items), votes)
    skill, pace = rng.uniform(0.7, 0.97, people), rng.normal(2.5, 0.4, people)
    leaning = rng.uniform(0, 0.5, people)
    given = np.where(rng.random(len(who)) < skill[who], truth[what], rng.integers(0, 3, len(who)))
    given = np.where(rng.random(len(who)) < leaning[who] / 2, suggested[what], given)
    seconds = np.exp(pace[who] + rng.normal(0, 0.6, len(who)))
    frame = LabelFrame(what.astype(np.int64), who.astype(np.int64), CLASSES[given])
    return frame, truth, seconds, CLASSES[suggested[what]]


def found_of(report: SuspicionReport) -> set[tuple[int, str]]:
    return {(one.annotator, one.pattern) for one in report.found}


def test_each_pattern_is_found_and_told() -> None:
    rng = np.random.default_rng(0)
    frame, _, seconds, suggestions = team(rng, people=12)
    labels = np.where(frame.annotators == 3, "good", frame.labels)
    labels = np.where(frame.annotators == 5, suggestions, labels)
    seconds[frame.annotators == 8] /= 15
    crooked = LabelFrame(frame.items, frame.annotators, labels)
    report = suspicions(crooked, seconds=seconds, suggestions=suggestions)
    expected = {(3, "always_same"), (5, "copies_suggestion"), (8, "too_fast")}
    assert found_of(report) == expected
    told = {one.pattern: one.evidence for one in report.found}
    assert "Answered good" in told["always_same"].en
    assert "good" in told["always_same"].zh
    assert "the others take about" in told["too_fast"].en
    assert "gold records" in told["copies_suggestion"].en
    assert all(one.p_value <= 0.05 for one in report.found)


def test_honest_annotators_are_not_accused() -> None:
    accused = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        shares = [(0.6, 0.3, 0.1), (0.9, 0.07, 0.03)][seed % 2]
        frame, _, seconds, suggestions = team(
            rng, people=int(rng.integers(3, 20)), items=300, shares=shares
        )
        accused += bool(suspicions(frame, seconds=seconds, suggestions=suggestions).found)
    # 5 % of 150 are 7.5; 15 or more have a chance of 1 %.
    assert accused < 15


def test_a_rare_class_given_always_is_found_where_a_common_one_is_not() -> None:
    rng = np.random.default_rng(1)
    frame, *_ = team(rng, shares=(0.99, 0.007, 0.003), items=200)
    for label, expected in (("good", set()), ("poor", {(3, "always_same")})):
        labels = np.where(frame.annotators == 3, label, frame.labels)
        crooked = LabelFrame(frame.items, frame.annotators, labels)
        assert {one for one in found_of(suspicions(crooked)) if one[0] == 3} == expected


def test_who_corrects_wrong_suggestions_on_gold_copies_nothing() -> None:
    rng = np.random.default_rng(2)
    frame, truth, _, suggestions = team(rng, people=10, items=800)
    # Wrong suggestions are few: agreeing with nearly all of them is agreeing with the truth.
    right = CLASSES[truth[frame.items]]
    wrong = rng.permutation(800)[:12]
    shown = np.where(np.isin(frame.items, wrong), suggestions, right)
    shown = np.where(np.isin(frame.items, wrong) & (shown == right), "none", shown)
    expert = LabelFrame(
        frame.items, frame.annotators, np.where(frame.annotators == 4, right, frame.labels)
    )
    copyist = LabelFrame(
        frame.items, frame.annotators, np.where(frame.annotators == 4, shown, frame.labels)
    )
    gold = {int(item): str(CLASSES[truth[item]]) for item in wrong}
    assert not found_of(suspicions(expert, suggestions=shown, gold=gold))
    report = suspicions(copyist, suggestions=shown, gold=gold)
    assert found_of(report) == {(4, "copies_suggestion")}
    assert "known to be wrong" in report.found[0].evidence.en


@pytest.mark.parametrize("seed", range(5))
def test_the_tail_is_never_understated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.05, 0.95, 25)
    exact = np.ones(1)
    for p in chance:
        exact = np.convolve(exact, [1 - p, p])
    bounds = [tail_bound(chance, times) for times in range(26)]
    for times, bound in enumerate(bounds):
        assert bound >= exact[times:].sum() - 1e-12
    assert bounds[25] == pytest.approx(exact[25])
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(bounds))


def test_nothing_to_compare_is_said() -> None:
    for rows in ([], [(item, 1, "good") for item in range(100)]):
        report = suspicions(LabelFrame.from_rows(rows))
        assert report.found == ()
        assert set(report.not_checked) == {"always_same", "too_fast", "copies_suggestion"}
    two = [(item, person, "good") for item in range(50) for person in (1, 2)]
    report = suspicions(LabelFrame.from_rows(two))
    assert report.found == ()
    assert set(report.not_checked) == {"too_fast", "copies_suggestion"}
    with pytest.raises(ValueError, match="suggestions"):
        suspicions(LabelFrame.from_rows(two), suggestions=np.array(["good"]))
