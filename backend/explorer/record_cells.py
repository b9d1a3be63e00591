"""The fields of one record: what stands in each, and what the champion thinks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from active_learning.columns.signals import ColumnSignals
from active_learning.field_errors.evidence import evidence_of
from active_learning.verdicts.measures import MARKED
from backend.models import Record
from backend.scoring.description import reason_without_evidence
from backend.words import Message
from labeling.label_schema import LabelSchema


@dataclass(frozen=True)
class RecordCell:
    """One field's value."""

    field: str
    value: Any
    is_asked: bool
    """Whether the label schema has the field, so that people and classifier look at it."""
    probability: float | None
    """That it is faulty; None where nobody has judged it."""
    reasons: list[Message]
    """What speaks against the value, the strongest first; also where it is probably right."""
    expected: str | None
    """The usual value, where the evidence names one."""

    @property
    def is_faulty(self) -> bool:
        """More probable than not."""
        return self.probability is not None and self.probability >= MARKED


def cells_of(
    record: Record,
    schema: LabelSchema,
    probabilities: Mapping[str, float],
    signals: ColumnSignals | None,
) -> list[RecordCell]:
    """The schema's fields in its order, then what else the record has.

    Args:
        record: whose.
        schema: of the project.
        probabilities: of the fields that the classifier has judged.
        signals: what it knows of the columns; None before there are verdicts.
    """
    names = dict.fromkeys([*schema.fields, *record.fields])
    return [_cell(record, name, name in schema.fields, probabilities, signals) for name in names]


def _cell(
    record: Record,
    name: str,
    is_asked: bool,
    probabilities: Mapping[str, float],
    signals: ColumnSignals | None,
) -> RecordCell:
    evidence = (
        evidence_of(signals, dict(record.fields), name)
        if signals is not None and name in probabilities and name in signals.fields
        else []
    )
    reasons = [Message.of(each.reason) for each in evidence]
    probability = probabilities.get(name)
    if not reasons and probability is not None and probability >= MARKED:
        reasons = [reason_without_evidence(record.fields, name)]
    return RecordCell(
        field=name,
        value=record.fields.get(name),
        is_asked=is_asked,
        probability=probability,
        reasons=reasons,
        expected=next((each.expected for each in evidence if each.expected), None),
    )
