"""Explanations as people and pages read them: a few signed marks with words."""

import dataclasses
from dataclasses import asdict, dataclass
from typing import Any

from active_learning.types import Reason, class_mention

SHOWN_LENGTH = 24
"""Characters of a value beside a mark. Chosen: a mark stays on one line."""


@dataclass(frozen=True)
class TokenMark:
    """A piece of a field's value, as text positions [start, end)."""

    start: int
    end: int
    text: str
    contribution: float


@dataclass(frozen=True)
class FieldMark:
    """What one field adds to the log-odds; below zero it lowers them."""

    field: str
    value: str
    contribution: float
    reason: Reason
    tokens: list[TokenMark] = dataclasses.field(default_factory=list)
    """The pieces that matter most, in the order of the text; empty where only fields were asked."""


@dataclass(frozen=True)
class Explanation:
    """Why one record got this answer."""

    target: str
    score: float
    """Log-odds of the answer, calibrated."""
    marks: list[FieldMark]
    """The strongest first."""
    is_text_judged: bool
    """False where the text was not encoded anew, so marks show the effect of signals alone."""

    def to_json(self) -> dict[str, Any]:
        """Plain lists, dicts, strings and numbers."""
        plain = asdict(self)
        for mark, entry in zip(self.marks, plain["marks"], strict=True):
            entry["reason"] = mark.reason.to_json()
        return plain


def reason_of(field_name: str, value: str, target: str, contribution: float) -> Reason:
    """The mark in words.

    >>> str(reason_of("description", "", "good", -1.31))
    "description missing lowers 'good' by 1.3"
    """
    short = value if len(value) <= SHOWN_LENGTH else value[: SHOWN_LENGTH - 1] + "…"
    cause = (
        Reason("{field} “{value}”", field=field_name, value=short)
        if short
        else Reason("{field} missing", field=field_name)
    )
    size, grade = abs(contribution), class_mention(target)
    if contribution > 0:
        return Reason("{cause} raises '{grade}' by {size:.1f}", cause=cause, grade=grade, size=size)
    return Reason("{cause} lowers '{grade}' by {size:.1f}", cause=cause, grade=grade, size=size)
