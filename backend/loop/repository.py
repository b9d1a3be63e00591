"""Every query on where the loop stands: batches, tasks, answers, jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from backend.jobs.repository import FINISHED
from backend.models import (
    Annotation,
    Batch,
    Decision,
    Job,
    ModelVersion,
    Record,
    ReviewCase,
    Task,
)
from backend.projects.schemas import LoopPolicy

IMPORTED = "imported"
"""Strategy of the batch that holds the tasks of labels made in another Label Studio."""
IMPORTED_ROUND = 0
IMPORTED_KEY = "imported-"
"""What their keys begin with: such a task is in no Label Studio of ours and is never pushed."""


def get_batch(session: Session, batch_id: int) -> Batch | None:
    """The batch with that id."""
    return session.get(Batch, batch_id)


def batches_not_pushed(session: Session, project_id: int) -> Sequence[Batch]:
    """Batches that Label Studio may not have in full, oldest first.

    A task keeps its place in a pushed batch when its record changed before the push; should that
    version become current again, the task is due and so is its batch.
    """
    with_due_tasks = (
        select(Task.batch_id)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(Task.project_id == project_id, *is_due())
    )
    return session.exec(
        select(Batch)
        .where(
            Batch.project_id == project_id,
            col(Batch.pushed_at).is_(None) | col(Batch.id).in_(with_due_tasks),
        )
        .order_by(col(Batch.round))
    ).all()


def is_due() -> tuple[ColumnElement[bool], ...]:
    """Conditions on Task and its Record: Label Studio is to be given the task.

    Not what was labelled elsewhere, nor what shows a version that is not current any more: its
    place in the batch stays empty, and nobody waits for it.
    """
    return (
        col(Task.label_studio_task_id).is_(None),
        col(Task.deleted_at).is_(None),
        ~col(Task.key).startswith(IMPORTED_KEY, autoescape=True),
        col(Record.is_current).is_(True),
    )


def count_due(session: Session, batch_id: int) -> int:
    """How many tasks of the batch Label Studio is to be given."""
    return session.exec(
        select(func.count())
        .select_from(Task)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(Task.batch_id == batch_id, *is_due())
    ).one()


@dataclass(frozen=True)
class Learnt:
    """Up to where people's answers and decisions are known, and what makes labels of them.

    ``annotation`` and ``decision`` are the largest ids of both; the others are of the policy.
    """

    annotation: int = 0
    decision: int = 0
    annotators_per_record: int = 0
    confidence_wanted: float = 0.0


def learnable(session: Session, project_id: int, policy: LoopPolicy) -> Learnt:
    """What there is to learn from by now."""
    annotation = session.exec(
        select(func.max(Annotation.id)).where(Annotation.project_id == project_id)
    ).one()
    decision = session.exec(
        select(func.max(Decision.id))
        .join(ReviewCase, col(ReviewCase.id) == col(Decision.case_id))
        .where(ReviewCase.project_id == project_id)
    ).one()
    return Learnt(
        annotation or 0, decision or 0, policy.annotators_per_record, policy.confidence_wanted
    )


def answers_since(
    session: Session, project_id: int, learnt: Learnt
) -> Sequence[tuple[int, int, bool]]:
    """(first task, newest revision, is an answer gone) of records with revisions after ``learnt``.

    Answers to hidden copies are none.
    """
    first = func.coalesce(col(Task.original_id), col(Task.id))
    rows = session.exec(
        select(
            first,
            func.max(Annotation.id),
            func.max(case((col(Annotation.is_deleted), 1), else_=0)),
        )
        .join(Annotation, col(Annotation.task_id) == col(Task.id))
        .where(
            Annotation.project_id == project_id,
            col(Annotation.id) > learnt.annotation,
            Task.purpose != "gold",
        )
        .group_by(first)
    )
    return [(task_id, newest, bool(is_gone)) for task_id, newest, is_gone in rows]


def decisions_since(session: Session, project_id: int, learnt: Learnt) -> Sequence[tuple[int, int]]:
    """(first task, newest decision) of cases with decisions after ``learnt``; undone ones too."""
    rows = session.exec(
        select(ReviewCase.task_id, func.max(Decision.id))
        .join(Decision, col(Decision.case_id) == col(ReviewCase.id))
        .where(
            ReviewCase.project_id == project_id,
            col(Decision.id) > learnt.decision,
        )
        .group_by(col(ReviewCase.task_id))
    )
    return [(task_id, newest) for task_id, newest in rows]


def latest_batch(session: Session, project_id: int) -> Batch | None:
    """The project's newest batch."""
    return session.exec(
        select(Batch).where(Batch.project_id == project_id).order_by(col(Batch.round).desc())
    ).first()


def finish_batch(session: Session, batch_id: int, now: datetime) -> Batch | None:
    """The batch, which is finished from now on; None if it was before."""
    batch = session.get(Batch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None or batch.finished_at is not None:
        return None
    batch.finished_at = now
    return batch


def latest_model_version(session: Session, project_id: int) -> ModelVersion | None:
    """The project's newest model version, champion or not."""
    return session.exec(
        select(ModelVersion)
        .where(ModelVersion.project_id == project_id)
        .order_by(col(ModelVersion.number).desc())
    ).first()


def count_failures(session: Session, name: str, project_id: int, *, before: datetime) -> int:
    """How many such jobs had failed by then."""
    return session.exec(
        select(func.count())
        .select_from(Job)
        .where(
            Job.name == name,
            Job.project_id == project_id,
            Job.status == "failed",
            col(Job.finished_at) <= before,
        )
    ).one()


def newest_job(session: Session, project_id: int, names: Sequence[str]) -> Job | None:
    """The job of one of these names that was asked for last; of several one that has not ended."""
    has_ended = case((col(Job.status).in_(FINISHED), 1), else_=0)
    return session.exec(
        select(Job)
        .where(Job.project_id == project_id, col(Job.name).in_(names))
        .order_by(col(Job.enqueued_at).desc(), has_ended, col(Job.id))
        .limit(1)
    ).first()


def was_asked_for(session: Session, name: str, project_id: int, args: dict[str, Any]) -> bool:
    """True if there is such a job, whatever became of it."""
    found = session.exec(select(Job.args).where(Job.name == name, Job.project_id == project_id))
    return args in found.all()


def tasks(session: Session, project_id: int) -> Sequence[Task]:
    """Every task of the project, by id."""
    return session.exec(
        select(Task).where(Task.project_id == project_id).order_by(col(Task.id))
    ).all()


def tasked_record_ids(session: Session, project_id: int) -> set[int]:
    """Records that have a task in the project."""
    return set(session.exec(select(Task.record_id).where(Task.project_id == project_id)))


def answers_state(session: Session, project_id: int) -> tuple[int, ...]:
    """A few numbers that change whenever an answer, a decision or who somebody is changes."""
    revisions = session.exec(
        select(func.count(), func.max(Annotation.id), func.sum(Annotation.annotator_id)).where(
            Annotation.project_id == project_id
        )
    ).one()
    decisions = session.exec(
        select(
            func.count(col(ReviewCase.decision_id)),
            func.max(ReviewCase.decision_id),
            func.sum(ReviewCase.decision_id),
        ).where(ReviewCase.project_id == project_id)
    ).one()
    return tuple(int(value or 0) for value in (*revisions, *decisions))
