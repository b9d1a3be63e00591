"""Which records need a decision, why, and how much a decision is worth: pure functions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from active_learning.types import class_mention
from backend.projects.titles import issue_mention
from backend.words import Message

TIE = "tie"
LOW_CONFIDENCE = "low_confidence"
ISSUE = "issue:"
FIELD = "field:"
MODEL_CONFLICT = "model_conflict"
SUSPECTED_ERROR = "suspected_error"
RECORD_CHANGED = "record_changed"
WITHDRAWN_LABEL = "withdrawn_label"
ANSWERS_DELETED = "answers_deleted"

REASONS = (
    TIE,
    LOW_CONFIDENCE,
    MODEL_CONFLICT,
    SUSPECTED_ERROR,
    RECORD_CHANGED,
    WITHDRAWN_LABEL,
    ANSWERS_DELETED,
)
"""Codes without a subject; ``issue:`` and ``field:`` are followed by a name."""

SURE = 0.9
"""Confidence from which a classifier's other opinion is a reason of its own: chosen, as the
policy's ``confidence_wanted`` is by default."""
SPLIT = 0.25
"""A yes/no question is split where both answers have at least this probability: one of two, of
three or of four who answered says otherwise."""
ISSUE_WEIGHT, FIELD_WEIGHT = 0.5, 0.35
"""Of an evenly split question. Chosen, not measured: an issue says more of a record than one of
its fields, and both less than its grade."""
EQUAL = 1e-6
"""Difference of probabilities that sums in another order make, and rounding in the store."""


@dataclass(frozen=True)
class Opinion:
    """What a classifier that had not seen the record's label said about it."""

    grade: str
    confidence: float


@dataclass(frozen=True)
class Suspicion:
    """What a finding says about the label: how likely wrong, and how much one answer adds."""

    wrong: float
    is_suspect: bool
    worth: float


@dataclass(frozen=True)
class RecordSituation:
    """Everything about one record that may ask for a decision."""

    grade: str | None
    confidence: float | None
    probabilities: Mapping[str, float]
    issues: Mapping[str, float]
    faulty_fields: Mapping[str, float]
    votes: int
    is_complete: bool
    has_lost_answers: bool = False
    is_record_changed: bool = False
    current_record_id: int | None = None
    """Of the version that replaced a changed record; None where it was removed."""
    problems: Sequence[str] = field(default_factory=tuple)
    """What in each answer does not fit the label schema; as often as it occurs."""
    opinion: Opinion | None = None
    suspicion: Suspicion | None = None
    is_awaited: bool = False
    """The answer to the copy that the record was sent back as is not there yet."""
    tied: Sequence[str] = field(default_factory=tuple)
    """Grades that as many people gave, where no grade has more."""
    is_unanimous: bool = False
    """Everybody gave the same grade."""
    sureness: float | None = None
    """Orders doubtful records better than the confidence, where a classifier spoke."""


@dataclass(frozen=True)
class ReviewReason:
    """Why a record needs a decision; ``weight`` estimates how likely its label is wrong.

    ``about`` names what a decision on it has seen; a decided case is open again where something
    is named that its decision has not seen.
    """

    code: str
    weight: float
    words: Message
    about: Sequence[str] = ()


def reasons_of(situation: RecordSituation, *, review_below: float) -> list[ReviewReason]:
    """Why the record needs a decision, the weightiest reason first; none if it needs none.

    A record whose answers are not all there yet needs none, unless answers were lost.
    """
    found = [*_about_the_record(situation)]
    if situation.is_complete:
        found += [
            *_about_the_grade(situation, review_below),
            *_about_marks(situation),
        ]
    return sorted(found, key=lambda reason: (-reason.weight, reason.code))


def priority_of(reasons: Sequence[ReviewReason], suspicion: Suspicion | None) -> float:
    """Expected value of a decision, 0 to 1.

    The probability that any of the reasons holds, were they independent, times how much the
    label is worth to the classifier (one half where that is unknown).
    """
    if not reasons:
        return 0.0
    wrong = 1.0 - float(np.prod([1.0 - min(reason.weight, 0.99) for reason in reasons]))
    worth = 0.5 if suspicion is None else min(max(suspicion.worth, 0.0), 1.0)
    return round(wrong * (0.5 + 0.5 * worth), 6)


def _about_the_record(situation: RecordSituation) -> Iterator[ReviewReason]:
    if situation.is_record_changed and situation.votes:
        yield ReviewReason(
            RECORD_CHANGED,
            0.6,
            Message("The record has changed since it was labelled."),
            [f"{RECORD_CHANGED}:{situation.current_record_id}"],
        )
    if situation.problems:
        counts = Counter(situation.problems)
        yield ReviewReason(
            WITHDRAWN_LABEL,
            0.7,
            Message("An answer does not fit the label schema: {problems}.", problems=[*counts]),
            [
                f"{WITHDRAWN_LABEL}:{problem}#{number}"
                for problem, count in counts.items()
                for number in range(1, count + 1)
            ],
        )
    if situation.has_lost_answers and not situation.votes:
        yield ReviewReason(
            ANSWERS_DELETED,
            0.5,
            Message("Every answer was deleted in Label Studio; the store keeps them."),
        )


def _about_the_grade(situation: RecordSituation, review_below: float) -> Iterator[ReviewReason]:
    grade = situation.grade
    if grade is None:
        yield from _about_a_tie(situation)
        return
    yield from _about_the_probability(situation, grade, review_below)
    opinion = situation.opinion
    if opinion and opinion.grade != grade and opinion.confidence >= SURE:
        yield ReviewReason(
            MODEL_CONFLICT,
            opinion.confidence * (1.0 - (situation.confidence or 0.5) / 2),
            Message(
                "People say {grade}; the classifier said {opinion} at {confidence:.0%} before.",
                grade=class_mention(grade),
                opinion=class_mention(opinion.grade),
                confidence=opinion.confidence,
            ),
        )


def _about_a_tie(situation: RecordSituation) -> Iterator[ReviewReason]:
    if situation.votes < 2:
        return
    top = max(situation.probabilities.values(), default=0.0)
    tied = situation.tied or [
        name for name, share in situation.probabilities.items() if share > top - EQUAL
    ]
    yield ReviewReason(
        TIE,
        1.0 - top,
        Message(
            "{votes} answers tie between {grades}.",
            votes=situation.votes,
            grades=[class_mention(name) for name in tied],
        ),
    )


def _about_the_probability(
    situation: RecordSituation, grade: str, review_below: float
) -> Iterator[ReviewReason]:
    """One reason: a label more probably wrong than right is not said to be doubtful, too."""
    suspicion, sure = situation.suspicion, situation.confidence
    if suspicion and suspicion.is_suspect:
        yield ReviewReason(
            SUSPECTED_ERROR,
            suspicion.wrong,
            Message(
                "The answers and a classifier that did not see them together make the label "
                "wrong at {wrong:.0%}.",
                wrong=suspicion.wrong,
            ),
        )
    elif sure is not None and _is_doubtful(situation, sure, review_below):
        yield ReviewReason(
            LOW_CONFIDENCE,
            1.0 - (sure if situation.sureness is None else situation.sureness),
            Message(
                "{grade} is the consensus at only {sure:.0%}.",
                grade=class_mention(grade),
                sure=sure,
            ),
        )


def _is_doubtful(situation: RecordSituation, sure: float, review_below: float) -> bool:
    """Whether the consensus of two or more is less probable than wanted.

    What everybody said is in doubt only where a classifier makes another grade more probable.
    """
    is_outweighed = max(situation.probabilities.values(), default=0.0) > sure + EQUAL
    is_low = situation.votes >= 2 and sure < review_below
    return is_low and (is_outweighed or not situation.is_unanimous)


def _about_marks(situation: RecordSituation) -> Iterator[ReviewReason]:
    if situation.votes < 2:
        return
    for kind, weight, answers in (
        (ISSUE, ISSUE_WEIGHT, situation.issues),
        (FIELD, FIELD_WEIGHT, situation.faulty_fields),
    ):
        for name, yes in answers.items():
            split = min(yes, 1.0 - yes)
            if split >= SPLIT:
                yield ReviewReason(f"{kind}{name}", weight * 2 * split, _split(kind, name, yes))


def _split(kind: str, name: str, yes: float) -> Message:
    """A field keeps its name, though an issue or a grade may have the same value."""
    if kind == ISSUE:
        return Message(
            "Answers differ on the issue {issue} ({yes:.0%} say yes).",
            issue=issue_mention(name),
            yes=yes,
        )
    return Message("Answers differ on the field {field} ({yes:.0%} say yes).", field=name, yes=yes)
