"""What a batch's tasks and suggestions hold, whoever chose the records."""

import uuid
from collections.abc import Sequence
from typing import Any

from active_learning.types import RecordPredictions
from backend.models import Project
from labeling.label_schema import LabelSchema


def task_key(project: Project, record_id: int) -> str:
    """What finds the record's task again in Label Studio: the same for the same record."""
    marker = f"assay-{project.id}-{project.created_at.timestamp()}"
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{marker}-{record_id}").hex


def prediction_values(
    predictions: RecordPredictions, row: int, schema: LabelSchema
) -> dict[str, Any]:
    """What the classifier says of one record, by the names of the prediction's columns."""
    grades = _by_name(schema.grades, predictions.grades[row])
    grade = max(grades, key=grades.__getitem__)
    return {
        "grade": grade,
        "score": grades[grade],
        "grade_probabilities": grades,
        "issue_probabilities": _by_name(schema.issue_values, predictions.issues[row]),
        "field_probabilities": _by_name(schema.fields, predictions.faulty_fields[row]),
    }


def _by_name(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in zip(names, values, strict=True)}
