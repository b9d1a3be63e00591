"""The versions of one record, and what differs between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.models import Record


@dataclass(frozen=True)
class FieldChange:
    """One field whose value differs from the version before."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class RecordVersion:
    """One version, and what it changed."""

    number: int
    """1 for the first."""
    record: Record
    changes: list[FieldChange]
    """Against the version stored before it; none for the first."""


def versions_of(history: Sequence[Record]) -> list[RecordVersion]:
    """The versions, newest first, of a history that begins with the oldest."""
    found: list[RecordVersion] = []
    before: Record | None = None
    for number, record in enumerate(history, start=1):
        changes = [] if before is None else changes_between(before.fields, record.fields)
        found.append(RecordVersion(number, record, changes))
        before = record
    return found[::-1]


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """The fields that differ, in the order of ``after``; then those that it has no more."""
    return [
        FieldChange(name, before.get(name), after.get(name))
        for name in dict.fromkeys([*after, *before])
        if before.get(name) != after.get(name)
    ]
