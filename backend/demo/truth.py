"""What is really true of a demo record: its grade, its issues and the right values."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

Grade = Literal["good", "fair", "poor"]

GRADES: tuple[Grade, ...] = ("good", "fair", "poor")

DIMENSIONS: dict[str, str] = {
    "missing_value": "completeness",
    "wrong_category": "accuracy",
    "wrong_price": "accuracy",
    "typo": "accuracy",
    "inconsistent_units": "consistency",
    "contradiction": "consistency",
    "stale_date": "timeliness",
    "invalid_format": "validity",
    "impossible_behaviour": "validity",
    "duplicate": "uniqueness",
    "spam": "security",
    "private_data": "security",
}
"""Each issue and its quality dimension."""

SEVERE = frozenset(
    {
        "wrong_category",
        "wrong_price",
        "contradiction",
        "impossible_behaviour",
        "spam",
        "private_data",
    }
)
"""One of these makes a record poor."""

ESSENTIAL_FIELDS = frozenset({"title", "price", "text", "rating"})
"""A missing value here makes a record poor; elsewhere it makes it fair."""


@dataclass(frozen=True)
class Fault:
    """One injected error: the issue and, by field, the value that was right."""

    issue: str
    corrected: dict[str, str] = field(default_factory=dict)

    @property
    def is_severe(self) -> bool:
        """True if this error alone makes the record poor."""
        if self.issue == "missing_value":
            return not ESSENTIAL_FIELDS.isdisjoint(self.corrected)
        return self.issue in SEVERE


@dataclass(frozen=True)
class Truth:
    """The right answer for one record.

    Attributes:
        faulty_fields: the fields whose value is wrong, in the order they were broken.
        corrected: the right value of every faulty field.
        duplicate_of: the record that a near duplicate repeats.
    """

    record_id: str
    grade: Grade
    issues: tuple[str, ...] = ()
    faulty_fields: tuple[str, ...] = ()
    corrected: dict[str, str] = field(default_factory=dict)
    duplicate_of: str | None = None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The quality dimensions that the issues hurt, each once, sorted."""
        return tuple(sorted({DIMENSIONS[issue] for issue in self.issues if issue in DIMENSIONS}))

    def as_json(self) -> dict[str, Any]:
        """One line of ``truth.jsonl``."""
        return {
            "record_id": self.record_id,
            "grade": self.grade,
            "issues": list(self.issues),
            "dimensions": list(self.dimensions),
            "faulty_fields": list(self.faulty_fields),
            "corrected": self.corrected,
            "duplicate_of": self.duplicate_of,
        }

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> "Truth":
        """The truth that :meth:`as_json` wrote."""
        return cls(
            record_id=line["record_id"],
            grade=line["grade"],
            issues=tuple(line["issues"]),
            faulty_fields=tuple(line["faulty_fields"]),
            corrected=dict(line["corrected"]),
            duplicate_of=line.get("duplicate_of"),
        )


def grade_of(faults: Collection[Fault]) -> Grade:
    """Good without faults, fair with one minor fault, poor with a severe one or two or more."""
    if not faults:
        return "good"
    if len(faults) > 1 or any(fault.is_severe for fault in faults):
        return "poor"
    return "fair"


@dataclass(frozen=True)
class DemoRecord:
    """One generated record and the truth about it.

    ``fields`` holds the fields of its kind only; an empty string there is a missing value.
    """

    record_id: str
    kind: str
    language: str
    fields: dict[str, str]
    truth: Truth
