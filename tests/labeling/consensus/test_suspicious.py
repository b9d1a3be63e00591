"""Crafted patterns are found with their evidence; honest annotators are left in peace."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t as student

from labeling.consensus.base import LabelFrame
from labeling.consensus.suspicious import SuspicionReport, suspicions, tail_bound
from labeling.consensus.words import NO_LABELS, ONE_ANNOTATOR
from tests.fixtures.chinese import in_chinese

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
    assert "Answered good" in str(told["always_same"])
    assert "good" in in_chinese(told["always_same"])
    assert "the others take about" in str(told["too_fast"])
    assert "gold records" in str(told["copies_suggestion"])
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
    assert "known to be wrong" in str(report.found[0].evidence)


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
        why = ONE_ANNOTATOR if rows else NO_LABELS
        assert set(report.not_checked.values()) == {why}
    two = [(item, person, "good") for item in range(50) for person in (1, 2)]
    report = suspicions(LabelFrame.from_rows(two))
    assert report.found == ()
    assert set(report.not_checked) == {"too_fast", "copies_suggestion"}
    with pytest.raises(ValueError, match="suggestions"):
        suspicions(LabelFrame.from_rows(two), suggestions=np.array(["good"]))


Asked = dict[tuple[int, str], tuple[float, int]]
"""(annotator, pattern) to (chance for honest work, answers)."""


def hurried(rows: list[tuple[int, int, str, float, str]]) -> Asked:
    """Whose median of log seconds is far below the others'; robust from eight others on."""
    asked: Asked = {}
    people = {who for _, who, *_ in rows}
    logs = {
        who: [np.log(s) for _, p, _, s, _ in rows if p == who and np.isfinite(s) and s > 0]
        for who in people
    }
    medians = {who: float(np.median(each)) for who, each in logs.items() if len(each) >= 20}
    for who, median in medians.items():
        rest = sorted(m for p, m in medians.items() if p != who)
        n = len(rest)
        if n < 2:
            continue
        usual, spread, freedom = float(np.mean(rest)), float(np.std(rest, ddof=1)), n - 1
        if n >= 8:
            cut = n // 5
            bounded = [min(max(each, rest[cut]), rest[n - cut - 1]) for each in rest]
            usual, spread = float(np.median(rest)), float(np.std(bounded, ddof=1)) / 0.642
            freedom = n - 2 * cut - 1
        if median - usual <= np.log(1 / 3):
            distance = (median - usual) / (max(spread, 0.25) * (1 + 1 / n) ** 0.5)
            asked[who, "too_fast"] = (float(student.cdf(distance, freedom)), len(logs[who]))
    return asked


def by_definition(
    rows: list[tuple[int, int, str, float, str]], gold: dict[int, str]
) -> tuple[Asked, set[tuple[int, str]]]:
    """What is extreme enough to ask about, in plain loops; and who was cleared by gold."""
    people = sorted({who for _, who, *_ in rows})
    classes = sorted({label for _, _, label, *_ in rows})

    def honest(own: list[tuple[int, str]], who: int, shares: dict[int, tuple[int, int]]) -> list:
        """Chance of the answer that is asked about, at each of somebody's items."""
        counts = {p: each for p, each in shares.items() if p != who}
        everybody = sum(c for c, _ in counts.values()) / max(1, sum(n for _, n in counts.values()))
        busy = [c / n for c, n in counts.values() if n >= 20]
        usual = float(np.quantile(busy, 0.75)) if busy else everybody
        found = []
        for item, wanted in own:
            said = [label for i, p, label, *_ in rows if i == item and p != who]
            found.append((said.count(wanted) + everybody) / (len(said) + 1))
        mean = sum(found) / len(found)
        if mean < usual:
            found = [1 - (1 - each) * (1 - usual) / (1 - mean) for each in found]
        return [min(1.0, max(1e-9, each)) for each in found]

    asked: Asked = {}
    cleared = set()
    for who in people:
        own = [row for row in rows if row[1] == who]
        given = [label for _, _, label, *_ in own]
        best = max(classes, key=lambda one: (given.count(one), -classes.index(one)))
        if len(own) >= 20 and given.count(best) >= 0.95 * len(own):
            shares = {
                p: (
                    sum(label == best for _, q, label, *_ in rows if q == p),
                    sum(q == p for _, q, *_ in rows),
                )
                for p in people
            }
            chance = honest([(item, best) for item, *_ in own], who, shares)
            asked[who, "always_same"] = (tail_bound(np.array(chance), given.count(best)), len(own))
        kept = {
            p: [(row[0], row[2], row[4]) for row in rows if row[1] == p and row[4]] for p in people
        }
        shown = kept[who]
        agreeing = sum(label == told for _, label, told in shown)
        if len(shown) >= 20 and agreeing >= 0.98 * len(shown):
            shares = {p: (sum(a == b for _, a, b in kept[p]), len(kept[p])) for p in people}
            chance = honest([(item, told) for item, _, told in shown], who, shares)
            wrong = [(a, b) for item, a, b in shown if gold.get(item, b) != b]
            copied = sum(a == b for a, b in wrong)
            if len(wrong) >= 3 and 2 * copied < len(wrong):
                cleared.add((who, "copies_suggestion"))
            else:
                p_value = tail_bound(np.array(chance), agreeing)
                asked[who, "copies_suggestion"] = (p_value, len(shown))
    return asked | hurried(rows), cleared


def crooked(seed: int) -> tuple[list[tuple[int, int, str, float, str]], dict[int, str]]:
    """Few records, people of whom some always say the same, copy, hurry or hardly answer."""
    rng = np.random.default_rng(seed)
    people = int(rng.integers(2, 14))
    truth = rng.choice(3, 90, p=(0.7, 0.2, 0.1))
    habit = rng.choice(["honest", "same", "copies", "fast", "rare"], people)
    rows = []
    for item in range(90):
        told = str(CLASSES[truth[item] if rng.random() < 0.9 else rng.integers(3)])
        told = "none" if rng.random() < 0.02 else told if rng.random() < 0.9 else ""
        for who in range(people):
            if rng.random() > (0.15 if habit[who] == "rare" else 0.5):
                continue
            label = str(CLASSES[truth[item] if rng.random() < 0.9 else rng.integers(3)])
            if habit[who] == "same" and rng.random() < 0.97:
                label = "good"
            if habit[who] == "copies" and told in CLASSES:
                label = told
            pace = rng.normal(2.5, 0.5) - (1.6 if habit[who] == "fast" else 0)
            seconds = float(rng.choice([np.exp(pace), 0.0, np.nan], p=(0.9, 0.05, 0.05)))
            rows.append((item, who, label, seconds, told))
    rows = [rows[place] for place in rng.permutation(len(rows))]
    gold = {item: str(CLASSES[truth[item]]) for item in range(0, 90, 1 + seed % 3)}
    return rows, gold if seed % 4 else {}


@pytest.mark.parametrize("seed", range(16))
def test_every_habit_that_is_asked_about_has_its_chance_corrected_for_all(seed: int) -> None:
    """At level 1 all that was asked about is told: against plain loops."""
    rows, gold = crooked(seed)
    frame = LabelFrame.from_rows([row[:3] for row in rows])
    seconds, told = np.array([row[3] for row in rows]), np.array([row[4] for row in rows])
    asked, cleared = by_definition(rows, gold)
    report = suspicions(frame, seconds=seconds, suggestions=told, gold=gold, level=1.0)
    assert report.not_checked == {}
    assert found_of(report) == asked.keys()
    assert not cleared & found_of(report)
    tests, largest = 3 * len(set(frame.annotators.tolist())), 0.0
    ranked = sorted(asked.values())
    for rank, ((p_value, _), one) in enumerate(zip(ranked, report.found, strict=True)):
        largest = min(1.0, max(largest, p_value * (tests - rank)))
        assert one.p_value == pytest.approx(largest)
        assert asked[one.annotator, one.pattern][0] == pytest.approx(p_value)
        assert one.answers == asked[one.annotator, one.pattern][1]
    few = suspicions(frame, seconds=seconds, suggestions=told, gold=gold)
    assert few.found == tuple(one for one in report.found if one.p_value <= 0.05)


def test_the_drawn_teams_show_every_pattern() -> None:
    """Or the test above would compare nothing."""
    seen: dict[str, int] = {}
    cleared = 0
    for seed in range(16):
        asked, excused = by_definition(*crooked(seed))
        cleared += len(excused)
        for _, pattern in asked:
            seen[pattern] = seen.get(pattern, 0) + 1
    assert min(seen[name] for name in ("always_same", "too_fast", "copies_suggestion")) >= 5


@pytest.mark.parametrize("wrong", [2, 3, 4])
def test_three_wrong_suggestions_seen_through_clear_somebody(wrong: int) -> None:
    """Two may be luck; and who keeps half of the wrong ones is not cleared."""
    items = np.repeat(np.arange(240), 3)
    who = np.tile([0, 1, 2], 240)
    labels = np.where(who == 0, "good", np.where(items % 2 == 0, "good", "poor"))
    told = np.full(720, "good", dtype="<U4")
    gold = dict.fromkeys(range(1, 2 * wrong, 2), "poor")
    for kept in range(wrong + 1):
        seen_through = list(gold)[kept:]
        said = np.where((who == 0) & np.isin(items, seen_through), "poor", labels)
        report = suspicions(LabelFrame(items, who, said), suggestions=told, gold=gold, level=0.05)
        is_cleared = wrong >= 3 and 2 * kept < wrong
        assert ((0, "copies_suggestion") in found_of(report)) is not is_cleared, kept


@pytest.mark.parametrize("seconds", [[0.0], [-1.0, 0.0], [np.nan], [np.inf, np.nan, -2.0]])
def test_times_that_are_none_are_said_to_be_missing(seconds: list[float]) -> None:
    rows = [(item, person, "good") for item in range(30) for person in (1, 2)]
    report = suspicions(
        LabelFrame.from_rows(rows),
        seconds=np.resize(np.array(seconds), 60),
        suggestions=np.full(60, ""),
    )
    assert set(report.not_checked) == {"too_fast", "copies_suggestion"}
    known = np.append(np.resize(np.array(seconds), 59), 3.0)
    assert set(suspicions(LabelFrame.from_rows(rows), seconds=known).not_checked) == {
        "copies_suggestion"
    }
    with pytest.raises(ValueError, match="seconds has 59"):
        suspicions(LabelFrame.from_rows(rows), seconds=known[1:])
