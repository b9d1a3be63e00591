"""The training snapshot: what people agreed on, at one moment, and its fingerprint."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.consensus import repository as consensus_repository
from backend.consensus.rule import consensus_of, grade_frame
from backend.core.services import Services
from backend.loop import repository as loop_repository
from backend.loop import revision_repository
from backend.loop.answers import RecordAnswers, answers_by_record
from backend.models import Annotation, Decision, Project, Task
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
    decisions: Mapping[int, Decision] | None = None,
    opinions: Mapping[int, Mapping[str, float]] | None = None,
) -> TrainingSnapshot:
    """The snapshot of the revisions that count.

    A task is complete when as many people as wanted answered it or skipped it; its label is the
    consensus of the answers. A tie gives no label: it is a case for review. What a person decided
    there goes before any consensus; a record that was found ambiguous has no label.

    Args:
        tasks: of the project, copies included.
        revisions: that count, of these tasks.
        schema: what may be answered.
        annotators_per_record: who are asked where a task does not say otherwise.
        seed: of the agreement's interval.
        decisions: first task's id to the decision that stands for it.
        opinions: first task's id to what a classifier had said before anyone answered.
    """
    held = answers_by_record(tasks, revisions)
    made = decisions or {}
    found = consensus_of(held, opinions or {}, schema, annotators_per_record=annotators_per_record)
    complete = {
        task_id: each
        for task_id, each in held.items()
        if each.is_complete(annotators_per_record) or task_id in made
    }
    labels = []
    for task_id, each in complete.items():
        decision, consensus = made.get(task_id), found.get(task_id)
        if decision is not None:
            if decision.grade is not None:
                labels.append(_decided(each, decision, decision.grade, schema))
        elif consensus is not None and consensus.grade is not None:
            labels.append(_label(each, consensus.grade, schema))
    return TrainingSnapshot(
        training=tuple(label for label in labels if not label.is_audit),
        audit=tuple(label for label in labels if label.is_audit),
        complete_tasks=len(complete),
        tied_tasks=sum(
            task_id not in made
            and (vote := found.get(task_id)) is not None
            and vote.votes > 0
            and vote.grade is None
            for task_id in complete
        ),
        agreement=krippendorff_alpha(
            grade_frame(complete, schema, only_known=False), np.random.default_rng(seed)
        ),
        fingerprint=_fingerprint(labels),
    )


def _label(held: RecordAnswers, grade: str, schema: LabelSchema) -> LabelledRecord:
    answers = [row for row in held.answers if row.grade in schema.grades]
    return LabelledRecord(
        task_id=held.task.id or 0,
        record_id=held.task.record_id,
        is_audit=held.task.is_audit,
        grade=grade,
        issues=tuple(
            _vote(value in row.issues for row in answers) for value in schema.issue_values
        ),
        faulty_fields=tuple(
            _vote(name in row.faulty_fields for row in answers) for name in schema.fields
        ),
        annotation_ids=tuple(sorted(row.id or 0 for row in answers)),
    )


def _decided(
    held: RecordAnswers, decision: Decision, grade: str, schema: LabelSchema
) -> LabelledRecord:
    return LabelledRecord(
        task_id=held.task.id or 0,
        record_id=held.task.record_id,
        is_audit=held.task.is_audit,
        grade=grade,
        issues=tuple(YES if value in decision.issues else NO for value in schema.issue_values),
        faulty_fields=tuple(
            YES if name in decision.faulty_fields else NO for name in schema.fields
        ),
        annotation_ids=tuple(sorted(row.id or 0 for row in held.answers)),
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
    """The project's labels at this moment."""
    assert project.id is not None
    policy = policy_of(project)
    with services.database.reading() as session:
        return build_snapshot(
            loop_repository.tasks(session, project.id),
            revision_repository.current_revisions(session, project.id),
            label_schema_of(project),
            annotators_per_record=policy.annotators_per_record,
            seed=policy.seed,
            decisions=consensus_repository.standing_decisions(session, project.id),
            opinions=consensus_repository.opinions(session, project.id),
        )
