"""Patterns that honest work does not explain: reasons to talk to an annotator, never a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import t as student

from labeling.consensus.base import LabelFrame
from labeling.consensus.others import OthersAnswers, others_answers
from labeling.consensus.suspicion_words import always_same, copies_suggestion, too_fast
from labeling.consensus.words import NO_LABELS, ONE_ANNOTATOR
from labeling.words import Words

Pattern = Literal["always_same", "too_fast", "copies_suggestion"]
FEWEST = 20
"""Answers from which anything is said of an annotator: chosen, as a window of ``drift`` is."""
SAME_SHARE = 0.95
"""Share of one and the same answer from which it is a pattern, if the others' answers to the
same items make it improbable."""
COPIED_SHARE = 0.98
"""Share of suggestions taken over from which it is one, on the same condition."""
FAST_RATIO = 1 / 3
"""Of the others' usual time: somebody faster by less may simply be quick. All three are chosen
to spare honest people, of whom ``tests/labeling/consensus/test_suspicious.py`` accuses none."""
_SPREAD = 0.25
"""Of log times, that honest people differ by at least. Chosen, as the three above are."""
_CORRECTED = 3
"""Wrong suggestions seen through that clear somebody. Chosen: fewer may be luck."""


@dataclass(frozen=True)
class SuspiciousHabit:
    """A pattern of one annotator, with the evidence in words.

    ``p_value`` is the chance of it for honest work, corrected for everything asked (Holm).
    """

    annotator: int
    pattern: Pattern
    p_value: float
    answers: int
    evidence: Words


@dataclass(frozen=True)
class SuspicionReport:
    """What was found, and why some patterns could not be looked for."""

    found: tuple[SuspiciousHabit, ...]
    not_checked: dict[Pattern, Words]


def suspicions(
    frame: LabelFrame,
    *,
    seconds: NDArray[np.float64] | None = None,
    suggestions: NDArray[np.str_] | None = None,
    gold: Mapping[int, str] | None = None,
    level: float = 0.05,
) -> SuspicionReport:
    """Annotators who always answer the same, far too fast, or what was suggested.

    Chance is what the others answered to the same items, widened to what the upper quarter of
    the others do anywhere. Nobody with fewer than 20 answers is named.

    Args:
        frame: every answer.
        seconds: (n,) how long each took, rows as the frame's; nan where unknown.
        suggestions: (n,) the answer that was shown beforehand; empty where none was.
        gold: item to right answer: who saw through most wrong suggestions copies nothing.
        level: the chance of naming anybody if everybody is honest.

    Raises:
        ValueError: seconds or suggestions differ in length from the frame.
    """
    for name, values in (("seconds", seconds), ("suggestions", suggestions)):
        if values is not None and len(values) != len(frame.items):
            raise ValueError(f"{name} has {len(values)} rows, the frame {len(frame.items)}")
    nothing = _nothing_to_compare(frame)
    if nothing is not None:
        return SuspicionReport(
            (), {"always_same": nothing, "too_fast": nothing, "copies_suggestion": nothing}
        )
    not_checked: dict[Pattern, Words] = {}
    people, who = np.unique(frame.annotators, return_inverse=True)
    others = others_answers(frame)
    asked = _same_answers(people, who, others)
    if seconds is None or not (np.isfinite(seconds) & (seconds > 0)).any():
        not_checked["too_fast"] = Words("No working times were recorded.")
    else:
        asked += _fast_answers(people, who, seconds)
    if suggestions is None or not (suggestions != "").any():
        not_checked["copies_suggestion"] = Words("No suggestions were shown.")
    else:
        asked += _copied_answers(people, who, others, frame, suggestions, gold or {})
    tests = 3 * len(people)  # whoever was not extreme enough to ask counts as asked
    found, largest = [], 0.0
    for rank, one in enumerate(sorted(asked, key=lambda one: one.p_value)):
        largest = min(1.0, max(largest, one.p_value * (tests - rank)))
        if largest <= level:
            found.append(
                SuspiciousHabit(one.annotator, one.pattern, largest, one.answers, one.evidence)
            )
    return SuspicionReport(tuple(found), not_checked)


def _nothing_to_compare(frame: LabelFrame) -> Words | None:
    people = len(np.unique(frame.annotators))
    return None if people > 1 else ONE_ANNOTATOR if people else NO_LABELS


def _same_answers(
    people: NDArray[np.int64],
    who: NDArray[np.intp],
    others: OthersAnswers,
) -> list[SuspiciousHabit]:
    k = len(others.classes)
    counts = np.bincount(who * k + others.given, minlength=len(people) * k).reshape(-1, k)
    totals = counts.sum(axis=1)
    found = []
    for place in np.flatnonzero((totals >= FEWEST) & (counts.max(axis=1) >= SAME_SHARE * totals)):
        best = int(counts[place].argmax())
        rest = np.arange(len(people)) != place
        votes = others.votes[who == place]
        chance = _chances(votes[:, best], votes.sum(axis=1), counts[rest, best], totals[rest])
        times, of = int(counts[place, best]), int(totals[place])
        label = others.classes[best]
        evidence = always_same(label, times, of, float(chance.mean()))
        p_value = tail_bound(chance, times)
        found.append(SuspiciousHabit(int(people[place]), "always_same", p_value, of, evidence))
    return found


def _copied_answers(
    people: NDArray[np.int64],
    who: NDArray[np.intp],
    others: OthersAnswers,
    frame: LabelFrame,
    suggestions: NDArray[np.str_],
    gold: Mapping[int, str],
) -> list[SuspiciousHabit]:
    places = {name: place for place, name in enumerate(others.classes)}
    shown, codes = np.unique(suggestions, return_inverse=True)
    suggested = np.array([places.get(name, -1) for name in shown.tolist()], dtype=np.intp)[codes]
    rows = np.flatnonzero(suggestions != "")
    match = others.given[rows] == suggested[rows]
    agreeing = np.bincount(who[rows], match, minlength=len(people)).astype(np.int64)
    totals = np.bincount(who[rows], minlength=len(people))
    found = []
    for place in np.flatnonzero((totals >= FEWEST) & (agreeing >= COPIED_SHARE * totals)):
        own = rows[who[rows] == place]
        rest = np.arange(len(people)) != place
        known = suggested[own] >= 0
        same = np.where(known, others.votes[own, suggested[own]], 0)
        chance = _chances(same, others.votes[own].sum(axis=1), agreeing[rest], totals[rest])
        wrong = [
            row
            for row in own.tolist()
            if gold.get(int(frame.items[row]), suggestions[row]) != suggestions[row]
        ]
        copied = sum(frame.labels[row] == suggestions[row] for row in wrong)
        if len(wrong) >= _CORRECTED and 2 * copied < len(wrong):
            continue
        times, of = int(agreeing[place]), int(totals[place])
        evidence = copies_suggestion(times, of, float(chance.mean()), copied, len(wrong))
        p_value = tail_bound(chance, times)
        found.append(
            SuspiciousHabit(int(people[place]), "copies_suggestion", p_value, of, evidence)
        )
    return found


def _chances(
    same: NDArray[np.int64],
    votes: NDArray[np.int64],
    counts: NDArray[np.int64],
    totals: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(n,) how probably an honest annotator gives this answer to each item.

    The others' answers to the item with one answer more of everybody's; raised together so that
    their mean is that of the upper quarter of the others, since honest people differ.
    """
    everybody = counts.sum() / max(1, totals.sum())
    chance = (same + everybody) / (votes + 1)
    busy = totals >= FEWEST
    usual = float(np.quantile(counts[busy] / totals[busy], 0.75)) if busy.any() else everybody
    mean = float(chance.mean())
    if mean < usual:
        chance = 1 - (1 - chance) * (1 - usual) / (1 - mean)
    return np.asarray(chance.clip(1e-9, 1.0))


def tail_bound(chance: NDArray[np.float64], times: int) -> float:
    """At least P(``times`` or more of independent events with these chances (events,)).

    Chernoff 1952: the smallest over s >= 0 of exp(-s times) prod (1 - p + p exp(s)); exact where
    all events came true.
    """
    if times <= chance.sum():
        return 1.0
    if times >= len(chance):
        return float(np.exp(np.log(chance).sum()))

    def bound(s: float) -> float:
        return float(np.log1p(chance * np.expm1(s)).sum() - s * times)

    return float(min(1.0, np.exp(minimize_scalar(bound, bounds=(0.0, 30.0)).fun)))


def _fast_answers(
    people: NDArray[np.int64], who: NDArray[np.intp], seconds: NDArray[np.float64]
) -> list[SuspiciousHabit]:
    known = np.isfinite(seconds) & (seconds > 0)
    logs, owner = np.log(seconds[known]), who[known]
    ranked = np.argsort(owner, kind="stable")
    borders = np.searchsorted(owner[ranked], np.arange(len(people) + 1))
    logs = logs[ranked]
    answers = np.diff(borders)
    busy = np.flatnonzero(answers >= FEWEST)
    medians = np.array([np.median(logs[borders[p] : borders[p + 1]]) for p in busy])
    found = []
    for index, place in enumerate(busy.tolist()):
        rest = np.delete(medians, index)
        if len(rest) < 2:
            continue
        usual, spread, freedom = _spread_of(rest)
        own = float(medians[index])
        if own - usual > np.log(FAST_RATIO):
            continue
        distance = (own - usual) / (max(spread, _SPREAD) * np.sqrt(1 + 1 / len(rest)))
        evidence = too_fast(float(np.exp(own)), float(np.exp(usual)), int(answers[place]))
        found.append(
            SuspiciousHabit(
                int(people[place]),
                "too_fast",
                float(student.cdf(distance, freedom)),
                int(answers[place]),
                evidence,
            )
        )
    return found


def _spread_of(medians: NDArray[np.float64]) -> tuple[float, float, float]:
    """(middle, standard deviation, degrees of freedom); robust from eight people on.

    A fifth on either side counts as the nearest of the rest (winsorised), so that several who
    are fast together do not hide each other; 0.642 is what that leaves of a normal spread. The
    degrees of freedom are those of Yuen 1974.
    """
    n = len(medians)
    if n < 8:
        return float(np.mean(medians)), float(np.std(medians, ddof=1)), n - 1.0
    cut = n // 5
    ordered = np.sort(medians)
    bounded = ordered.clip(ordered[cut], ordered[n - cut - 1])
    spread = float(np.std(bounded, ddof=1)) / 0.642
    return float(np.median(medians)), spread, n - 2.0 * cut - 1
