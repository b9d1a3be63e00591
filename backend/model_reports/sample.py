"""The common audit sample: which records, and what they are labelled as."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlmodel import Session

from active_learning.types import Marks
from backend.features.snapshot import UNKNOWN, LabelledRecord
from backend.model_reports import repository
from backend.models import AuditSample, ModelVersion
from labeling.label_schema import LabelSchema


@dataclass(frozen=True)
class SampleLabel:
    """One audit record with its label."""

    task_id: int
    record_id: int
    grade: str
    issues: dict[str, int]
    """1, 0 or -1 (tied votes)."""


def keep_sample(
    session: Session,
    version: ModelVersion,
    labels: Sequence[LabelledRecord],
    schema: LabelSchema,
    now: datetime,
) -> AuditSample | None:
    """The sample on which the version was decided is kept; None without an audit record.

    Args:
        session: of the transaction that makes the version.
        version: newest of its project.
        labels: of audit records, as the gate saw them.
        schema: whose issues the labels answer, in its order.
        now: the time.
    """
    if not labels:
        return None
    sample = AuditSample(
        project_id=version.project_id,
        model_version_id=version.id,
        labels=[
            [
                label.task_id,
                label.record_id,
                label.grade,
                dict(zip(schema.issue_values, label.issues, strict=True)),
            ]
            for label in labels
        ],
        created_at=now,
    )
    repository.add_sample(session, sample)
    return sample


def labels_of(sample: AuditSample) -> list[SampleLabel]:
    """The sample's labels in their order."""
    return [SampleLabel(*_row(each)) for each in sample.labels]


def issue_marks(labels: Sequence[SampleLabel], issues: Sequence[str]) -> Marks:
    """(n, issues) 1 yes, 0 no, -1 not known."""
    rows = [[label.issues.get(name, UNKNOWN) for name in issues] for label in labels]
    return np.array(rows, dtype=np.int8).reshape(len(labels), len(issues))


def _row(each: Any) -> tuple[int, int, str, dict[str, int]]:
    task_id, record_id, grade, issues = each
    return int(task_id), int(record_id), str(grade), dict(issues)
