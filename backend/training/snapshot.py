"""The training snapshot: what people agreed on, at one moment, and its fingerprint."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.models import Annotation, Task
from labeling.consensus.agreement import Agreement, krippendorff_alpha
from labeling.consensus.base import LabelFrame
from labeling.consensus.majority_vote import majority_vote
from labeling.label_schema import LabelSchema

YES, NO, UNKNOWN = 1, 0, -1


@dataclass(frozen=True)
class LabelledRecord:
    """One record with the label that its annotators agreed on.

    ``issues`` and ``faulty_fields`` hold 1, 0 or -1 (tied votes) in the schema's order.
    """

    task_id: int
    record_id: int
    is_audit: bool
    grade: str
    issues: tuple[int, ...]
    faulty_fields: tuple[int, ...]
    annotation_ids: tuple[int, ...]


@dataclass(frozen=True)
class TrainingSnapshot:
    """Every complete task with a consensus, audit records apart."""

    training: tuple[LabelledRecord, ...]
    audit: tuple[LabelledRecord, ...]
    complete_tasks: int
    tied_tasks: int
    agreement: Agreement
    fingerprint: str

    @property
    def annotation_ids(self) -> list[int]:
        """The annotation revisions (our row ids) that the labels come from, ascending."""
        return sorted(
            annotation_id
            for label in (*self.training, *self.audit)
            for annotation_id in label.annotation_ids
        )

    def agreement_metrics(self) -> dict[str, Any]:
        """The agreement as the registry keeps it."""
        return asdict(self.agreement)


def build_snapshot(
    tasks: Sequence[Task],
    revisions: Iterable[Annotation],
    schema: LabelSchema,
    *,
    annotators_per_record: int,
    seed: int,
) -> TrainingSnapshot:
    """The snapshot of the revisions that count.

    A task is complete when as many people as wanted answered it or skipped it; its label
    is the majority of the answers. A tie gives no label: it is a case for review.
    """
    answers: dict[int, list[Annotation]] = defaultdict(list)
    people: dict[int, set[int | None]] = defaultdict(set)
    for row in revisions:
        people[row.task_id].add(row.annotator_id)
        if not row.was_cancelled and row.grade in schema.grades:
            answers[row.task_id].append(row)
    complete = [
        task
        for task in tasks
        if task.deleted_at is None and len(people[task.id or 0]) >= annotators_per_record
    ]
    frame = LabelFrame.from_rows(
        [
            (task.id or 0, row.annotator_id or 0, str(row.grade))
            for task in complete
            for row in answers[task.id or 0]
        ]
    )
    consensus = majority_vote(frame)
    labels = [
        _label(task, answers[task.id or 0], grade, schema)
        for task in complete
        if (vote := consensus.get(task.id or 0)) and (grade := vote.label) is not None
    ]
    return TrainingSnapshot(
        training=tuple(label for label in labels if not label.is_audit),
        audit=tuple(label for label in labels if label.is_audit),
        complete_tasks=len(complete),
        tied_tasks=sum(vote.label is None for vote in consensus.values()),
        agreement=krippendorff_alpha(frame, np.random.default_rng(seed)),
        fingerprint=_fingerprint(labels),
    )


def _label(
    task: Task, answers: Sequence[Annotation], grade: str, schema: LabelSchema
) -> LabelledRecord:
    return LabelledRecord(
        task_id=task.id or 0,
        record_id=task.record_id,
        is_audit=task.is_audit,
        grade=grade,
        issues=tuple(
            _vote(value in row.issues for row in answers) for value in schema.issue_values
        ),
        faulty_fields=tuple(
            _vote(name in row.faulty_fields for row in answers) for name in schema.fields
        ),
        annotation_ids=tuple(sorted(row.id or 0 for row in answers)),
    )


def _vote(votes: Iterable[bool]) -> int:
    given = list(votes)
    doubled = 2 * sum(given)
    if doubled == len(given):
        return UNKNOWN
    return YES if doubled > len(given) else NO


def _fingerprint(labels: Sequence[LabelledRecord]) -> str:
    content = sorted((asdict(label) for label in labels), key=lambda item: item["task_id"])
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def matrix(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.int8]:
    """(n, width) of 1, 0 and -1; also for no rows or no columns."""
    return np.array(rows, dtype=np.int8).reshape(len(rows), width)
