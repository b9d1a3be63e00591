"""Predictions of records as plain data, one verdict each."""

from collections.abc import Sequence
from typing import Any

from active_learning.types import RecordPredictions
from active_learning.verdicts.measures import MARKED, doubt, risk


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
    risks, doubts = risk(found.grades, is_ordered=is_ordered), doubt(found.grades)
    verdicts = []
    for row in range(len(found.grades)):
        shares = found.grades[row]
        first = int(shares.argmax())
        by_issue = dict(zip(issues, found.issues[row].tolist(), strict=True))
        by_field = dict(zip(fields, found.faulty_fields[row].tolist(), strict=True))
        verdicts.append(
            {
                "grade": grades[first],
                "confidence": float(shares[first]),
                "probabilities": dict(zip(grades, shares.tolist(), strict=True)),
                "issues": _likely("name", by_issue),
                "issue_probabilities": by_issue,
                "faulty_fields": _likely("field", by_field),
                "field_probabilities": by_field,
                "risk": float(risks[row]),
                "doubt": float(doubts[row]),
                "model_version": model_version,
            }
        )
    return verdicts


def _likely(what: str, probabilities: dict[str, float]) -> list[dict[str, Any]]:
    """Those at or above ``MARKED``, the most probable first."""
    named = [(name, share) for name, share in probabilities.items() if share >= MARKED]
    return [
        {what: name, "probability": share}
        for name, share in sorted(named, key=lambda each: -each[1])
    ]
