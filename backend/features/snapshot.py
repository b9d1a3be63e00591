"""The training snapshot: what people agreed on, at one moment, and its fingerprint."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.consensus.rule import grade_frame
from backend.consensus.service import ProjectLabels, shown_labels
from backend.core.services import Services
from backend.loop.answers import RecordAnswers
from backend.loop.repository import Learnt
from backend.models import Decision, Project
from backend.projects.service import label_schema_of, policy_of
from labeling.consensus.agreement import Agreement, krippendorff_alpha
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
    audit_unlabelled: tuple[int, ...]
    """Ids of audit records that everybody answered for and that have no label all the same:
    skipped, tied, or found ambiguous. Accuracy cannot be measured on them; a promise about
    machine labels counts them as errors."""
    complete_tasks: int
    tied_tasks: int
    agreement: Agreement
    fingerprint: str
    learnt: Learnt
    """Up to where answers and decisions were known."""

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


def build_snapshot(labels: ProjectLabels, schema: LabelSchema, *, seed: int) -> TrainingSnapshot:
    """The snapshot of these labels, which are those that the desk shows.

    A task is complete when as many people as wanted answered it or skipped it; its label is the
    consensus of the answers. A tie gives no label: it is a case for review. What a person decided
    there goes before any consensus; a record that was found ambiguous has no label.

    Args:
        labels: of the project.
        schema: what may be answered.
        seed: of the agreement's interval.
    """
    complete = {
        task_id: each for task_id, each in labels.held.items() if labels.is_settled(task_id)
    }
    learnt, unlabelled = [], []
    for task_id, each in complete.items():
        decision, grade = labels.decisions.get(task_id), labels.grade(task_id)
        if grade is not None and decision is not None:
            learnt.append(_label_of_decision(each, decision, grade, schema))
        elif grade is not None:
            learnt.append(_label(each, grade, schema))
        elif each.task.is_audit:
            unlabelled.append(each.task.record_id)
    return TrainingSnapshot(
        training=tuple(label for label in learnt if not label.is_audit),
        audit=tuple(label for label in learnt if label.is_audit),
        audit_unlabelled=tuple(sorted(unlabelled)),
        complete_tasks=len(complete),
        tied_tasks=sum(
            task_id not in labels.decisions
            and (vote := labels.consensus.get(task_id)) is not None
            and vote.votes > 0
            and vote.grade is None
            for task_id in complete
        ),
        agreement=krippendorff_alpha(
            grade_frame(complete, schema, only_known=False), np.random.default_rng(seed)
        ),
        fingerprint=_fingerprint(learnt),
        learnt=labels.learnt,
    )


def _label(held: RecordAnswers, grade: str, schema: LabelSchema) -> LabelledRecord:
    answers = [row for row in held.answers if row.grade in schema.grades]
    return LabelledRecord(
        task_id=held.task.id,
        record_id=held.task.record_id,
        is_audit=held.task.is_audit,
        grade=grade,
        issues=tuple(
            _vote(value in row.issues for row in answers) for value in schema.issue_values
        ),
        faulty_fields=tuple(
            _vote(name in row.faulty_fields for row in answers) for name in schema.fields
        ),
        annotation_ids=tuple(sorted(row.id for row in answers)),
    )


def _label_of_decision(
    held: RecordAnswers, decision: Decision, grade: str, schema: LabelSchema
) -> LabelledRecord:
    return LabelledRecord(
        task_id=held.task.id,
        record_id=held.task.record_id,
        is_audit=held.task.is_audit,
        grade=grade,
        issues=tuple(YES if value in decision.issues else NO for value in schema.issue_values),
        faulty_fields=tuple(
            YES if name in decision.faulty_fields else NO for name in schema.fields
        ),
        annotation_ids=tuple(sorted(row.id for row in held.answers)),
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


def take_snapshot(services: Services, project: Project) -> TrainingSnapshot:
    """The project's labels at this moment, which the desk shows from now on."""
    return build_snapshot(
        shown_labels(services, project), label_schema_of(project), seed=policy_of(project).seed
    )
