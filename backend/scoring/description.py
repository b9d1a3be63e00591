"""A classifier's figures about records, told with names and reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.artifacts import SIGNALS
from active_learning.columns.signals import ColumnSignals
from active_learning.field_errors.evidence import evidence_of
from active_learning.types import RecordPredictions
from active_learning.verdicts.measures import MARKED, doubt, risk
from backend.scoring.schemas import FaultyField, NamedProbability
from backend.words import Message

DECIMALS = 6
"""Of a probability: more than float32 holds, less than people read."""


@lru_cache(maxsize=4)
def signals_of(artifact: Path) -> ColumnSignals:
    """What the classifier in that folder knows of the columns.

    Raises:
        ArtifactCorrupt: it cannot be read.
    """
    return ColumnSignals.load(artifact / SIGNALS)


@dataclass(frozen=True)
class Describer:
    """Tells what one model version says.

    Args:
        grades: in the order of the probabilities.
        issues: likewise.
        fields: likewise.
        is_ordered: whether the first grade is the best.
        signals: what is usual in the columns.
    """

    grades: tuple[str, ...]
    issues: tuple[str, ...]
    fields: tuple[str, ...]
    is_ordered: bool
    signals: ColumnSignals

    def describe(
        self, predictions: RecordPredictions, records: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """The n records' verdicts as far as ``VerdictPublic`` holds figures."""
        return [
            self._one(place, predictions, record, at_risk, in_doubt)
            for place, (record, at_risk, in_doubt) in enumerate(
                zip(
                    records,
                    risk(predictions.grades, is_ordered=self.is_ordered).tolist(),
                    doubt(predictions.grades).tolist(),
                    strict=True,
                )
            )
        ]

    def _one(
        self,
        place: int,
        predictions: RecordPredictions,
        record: Mapping[str, Any],
        at_risk: float,
        in_doubt: float,
    ) -> dict[str, Any]:
        grades, issues = predictions.grades[place], predictions.issues[place]
        best = int(np.argmax(grades))
        return {
            "grade": self.grades[best],
            "confidence": _round(grades[best]),
            "probabilities": _by_name(self.grades, grades),
            "issues": [
                NamedProbability(name=name, probability=value)
                for name, value in _by_name(self.issues, issues).items()
                if value >= MARKED
            ],
            "issue_probabilities": _by_name(self.issues, issues),
            "faulty_fields": self._faulty_fields(predictions.faulty_fields[place], record),
            "risk": _round(at_risk),
            "doubt": _round(in_doubt),
        }

    def _faulty_fields(
        self, probabilities: NDArray[np.float64], record: Mapping[str, Any]
    ) -> list[FaultyField]:
        found = []
        for column in np.argsort(-probabilities, kind="stable").tolist():
            if probabilities[column] < MARKED:
                break
            field = self.fields[column]
            evidence = evidence_of(self.signals, dict(record), field)
            reason = (
                Message.of(evidence[0].reason)
                if evidence
                else reason_without_evidence(record, field)
            )
            found.append(
                FaultyField(
                    field=field,
                    probability=_round(probabilities[column]),
                    expected=next((each.expected for each in evidence if each.expected), None),
                    reason_message=reason,
                )
            )
        return found


def reason_without_evidence(record: Mapping[str, Any], field: str) -> Message:
    """Why a field is called faulty where nothing in the columns speaks against its value."""
    if record.get(field) in (None, ""):
        return Message("{field} is empty", field=field)
    return Message("{field} resembles values that people marked", field=field)


def _by_name(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: _round(value) for name, value in zip(names, values, strict=True)}


def _round(value: float) -> float:
    return round(float(value), DECIMALS)
