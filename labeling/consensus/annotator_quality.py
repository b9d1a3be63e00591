"""How well each annotator works: right answers, confusions, speed, skips, change over time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import LabelFrame
from labeling.consensus.drift import SMALLEST_WINDOW, Drift, drifts
from labeling.consensus.others import OthersAnswers, others_answers
from labeling.consensus.rates import Rate, rate
from labeling.words import Words

ENOUGH_GOLD = 2 * SMALLEST_WINDOW
"""Answers with a known right one from which change over time is told by them: two windows."""
NO_GOLD = Words("This annotator has answered no record whose right answer is known.")
NO_OTHERS = Words("No record of this annotator has a clear answer of others.")
NO_TIMES = Words("No working times were recorded.")
NO_SKIPS = Words("Nothing was shown to this annotator.")


@dataclass(frozen=True)
class Confusion:
    """``table[t, c]``: how often class ``t`` was answered with class ``c``."""

    classes: list[str]
    table: NDArray[np.int64]


@dataclass(frozen=True)
class Speed:
    """Seconds an answer took: the median and the quartiles; None without times.

    Pauses with a record left open make a few times huge: medians and quartiles bear that.
    """

    median: float | None
    low_quartile: float | None
    high_quartile: float | None
    answers: int
    why: Words | None = None


@dataclass(frozen=True)
class AnnotatorQuality:
    """What is known of one annotator.

    ``against_others`` compares with the majority of the others' answers, the annotator's own
    left out and ties not counted; the others err too, so it understates who is better than
    they are. ``drift`` is of gold where enough gold answers are there, else of the others.
    """

    annotator: int
    answers: int
    against_gold: Rate
    gold_confusion: Confusion
    against_others: Rate
    others_confusion: Confusion
    speed: Speed
    skip_rate: Rate
    drift: Drift


def annotator_quality(
    frame: LabelFrame,
    rng: np.random.Generator,
    *,
    gold: Mapping[int, str] | None = None,
    seconds: NDArray[np.float64] | None = None,
    times: NDArray[np.generic] | None = None,
    skips: Mapping[int, int] | None = None,
    level: float = 0.05,
) -> dict[int, AnnotatorQuality]:
    """Annotator to quality, for everybody who answered or skipped.

    Args:
        frame: every answer.
        rng: draws random orders for the test of change over time.
        gold: item to right answer.
        seconds: (n,) how long each answer took, rows as the frame's; nan where unknown.
        times: (n,) when each was given, anything that sorts; the frame's order without it.
        skips: annotator to the number of records skipped.
        level: the chance of any false alarm of change among all annotators.

    Raises:
        ValueError: seconds or times differ in length from the frame.
    """
    for name, values in (("seconds", seconds), ("times", times)):
        if values is not None and len(values) != len(frame.items):
            raise ValueError(f"{name} has {len(values)} rows, the frame {len(frame.items)}")
    others = others_answers(frame)
    classes, truth = _gold_places(frame, others, gold or {})
    given = others.given
    people = sorted({*np.unique(frame.annotators).tolist(), *(skips or {})})
    rows_of = _rows_by_annotator(frame, people, times)
    right_of = []
    for rows in rows_of:
        known = rows[truth[rows] >= 0]
        compared = rows[others.consensus[rows] >= 0]
        basis, answer = (
            (known, truth) if len(known) >= ENOUGH_GOLD else (compared, others.consensus)
        )
        right_of.append(given[basis] == answer[basis])
    changes = drifts(right_of, rng, level)
    found: dict[int, AnnotatorQuality] = {}
    for person, rows, change in zip(people, rows_of, changes, strict=True):
        known = rows[truth[rows] >= 0]
        compared = rows[others.consensus[rows] >= 0]
        skipped = int((skips or {}).get(person, 0))
        found[person] = AnnotatorQuality(
            annotator=person,
            answers=len(rows),
            against_gold=rate(int((given[known] == truth[known]).sum()), len(known), NO_GOLD),
            gold_confusion=_confusion(classes, truth[known], given[known]),
            against_others=rate(
                int((given[compared] == others.consensus[compared]).sum()),
                len(compared),
                NO_OTHERS,
            ),
            others_confusion=_confusion(
                others.classes, others.consensus[compared], given[compared]
            ),
            speed=_speed(None if seconds is None else seconds[rows]),
            skip_rate=rate(skipped, skipped + len(rows), NO_SKIPS),
            drift=change,
        )
    return found


def _gold_places(
    frame: LabelFrame, others: OthersAnswers, gold: Mapping[int, str]
) -> tuple[list[str], NDArray[np.intp]]:
    """(classes, (n,) place of each row's right answer, -1 where unknown).

    Classes that only gold names come after those that were answered.
    """
    unseen = sorted(set(gold.values()) - set(others.classes))
    classes = [*others.classes, *unseen]
    places = {name: place for place, name in enumerate(classes)}
    items, rows = np.unique(frame.items, return_inverse=True)
    known = np.array(
        [places[gold[item]] if item in gold else -1 for item in items.tolist()], dtype=np.intp
    )
    return classes, known[rows]


def _rows_by_annotator(
    frame: LabelFrame, people: list[int], times: NDArray[np.generic] | None
) -> list[NDArray[np.intp]]:
    """Each annotator's rows in time order."""
    in_time = np.arange(len(frame.items)) if times is None else np.argsort(times, kind="stable")
    by_person = in_time[np.argsort(frame.annotators[in_time], kind="stable")]
    ordered = frame.annotators[by_person]
    return [
        by_person[np.searchsorted(ordered, person) : np.searchsorted(ordered, person, "right")]
        for person in people
    ]


def _confusion(classes: list[str], truth: NDArray[np.intp], given: NDArray[np.intp]) -> Confusion:
    k = len(classes)
    return Confusion(classes, np.bincount(truth * k + given, minlength=k * k).reshape(k, k))


def _speed(seconds: NDArray[np.float64] | None) -> Speed:
    """Times of zero or less are clock faults: not counted."""
    known = np.empty(0) if seconds is None else seconds[np.isfinite(seconds) & (seconds > 0)]
    if not len(known):
        return Speed(None, None, None, 0, NO_TIMES)
    low, median, high = (float(edge) for edge in np.quantile(known, [0.25, 0.5, 0.75]))
    return Speed(median, low, high, len(known))
