"""Explanations as people and pages read them: a few signed marks with words."""

import dataclasses
from collections.abc import Mapping
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
            entry["reason"] = {"en": mark.reason.en, "zh": mark.reason.zh}
        return plain

    def with_titles(self, en: Mapping[str, str], zh: Mapping[str, str]) -> "Explanation":
        """The same with the classes' titles in its words."""
        marks = [
            dataclasses.replace(mark, reason=mark.reason.with_titles(en, zh)) for mark in self.marks
        ]
        return dataclasses.replace(self, marks=marks)


def reason_of(field_name: str, value: str, target: str, contribution: float) -> Reason:
    """The mark in words.

    >>> reason_of("description", "", "good", -1.31).en
    "description missing lowers 'good' by 1.3"
    """
    short = value if len(value) <= SHOWN_LENGTH else value[: SHOWN_LENGTH - 1] + "…"
    size = f"{abs(contribution):.1f}"
    rises = contribution > 0
    target = class_mention(target)
    english = f"{field_name} “{short}”" if short else f"{field_name} missing"
    chinese = f"{field_name}“{short}”" if short else f"{field_name} 缺失"
    return Reason(
        f"{english} {'raises' if rises else 'lowers'} '{target}' by {size}",
        f"{chinese}，使“{target}”{'升高' if rises else '降低'} {size}",
    )
