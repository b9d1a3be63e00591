"""Predictions of records as plain data, one verdict each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from active_learning.types import RecordPredictions

LIKELY = 0.5
"""An issue or a faulty field is named from here on: it is more probable than not."""


def plain_verdicts(
    found: RecordPredictions,
    grades: Sequence[str],
    issues: Sequence[str],
    fields: Sequence[str],
    *,
    is_ordered: bool,
    model_version: int,
) -> list[dict[str, Any]]:
    """One verdict for each of the n records.

    Args:
        found: of n records.
        grades: names of the grades' columns; where ``is_ordered`` the best first.
        issues: names of the issues' columns.
        fields: names of the fields' columns.
        is_ordered: whether the risk is that of not being of the best grade.
        model_version: whose predictions they are.
    """
    verdicts = []
    for row in range(len(found.grades)):
        shares = found.grades[row]
        first = int(shares.argmax())
        second = float(np.delete(shares, first).max()) if len(shares) > 1 else 0.0
        confidence = float(shares[first])
        by_issue = dict(zip(issues, found.issues[row].tolist(), strict=True))
        by_field = dict(zip(fields, found.faulty_fields[row].tolist(), strict=True))
        verdicts.append(
            {
                "grade": grades[first],
                "confidence": confidence,
                "probabilities": dict(zip(grades, shares.tolist(), strict=True)),
                "issues": _likely("name", by_issue),
                "issue_probabilities": by_issue,
                "faulty_fields": _likely("field", by_field),
                "field_probabilities": by_field,
                "risk": 1.0 - (float(shares[0]) if is_ordered else confidence),
                "doubt": 1.0 - (confidence - second),
                "model_version": model_version,
            }
        )
    return verdicts


def _likely(what: str, probabilities: dict[str, float]) -> list[dict[str, Any]]:
    """Those at or above ``LIKELY``, the most probable first."""
    named = [(name, share) for name, share in probabilities.items() if share >= LIKELY]
    return [
        {what: name, "probability": share}
        for name, share in sorted(named, key=lambda each: -each[1])
    ]
