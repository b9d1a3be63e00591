"""Every query on where the loop stands: batches, tasks, answers, jobs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.models import (
    Annotation,
    Batch,
    Job,
    ModelVersion,
    Record,
    ReviewCase,
    Task,
)

IMPORTED = "imported"
"""Strategy of the batch that holds the tasks of labels made in another Label Studio."""
IMPORTED_ROUND = 0
IMPORTED_KEY = "imported-"
"""What their keys begin with: such a task is in no Label Studio of ours and is never pushed."""


def get_batch(session: Session, batch_id: int) -> Batch | None:
    """The batch with that id."""
    return session.get(Batch, batch_id)


def batches_not_pushed(session: Session, project_id: int) -> Sequence[Batch]:
    """Batches that Label Studio may not have in full, oldest first."""
    return session.exec(
        select(Batch)
        .where(Batch.project_id == project_id, col(Batch.pushed_at).is_(None))
        .order_by(col(Batch.round))
    ).all()


def latest_batch(session: Session, project_id: int) -> Batch | None:
    """The project's newest batch."""
    return session.exec(
        select(Batch).where(Batch.project_id == project_id).order_by(col(Batch.round).desc())
    ).first()


def latest_model_version(session: Session, project_id: int) -> ModelVersion | None:
    """The project's newest model version, champion or not."""
    return session.exec(
        select(ModelVersion)
        .where(ModelVersion.project_id == project_id)
        .order_by(col(ModelVersion.number).desc())
    ).first()


def newest_record(session: Session, dataset_id: int) -> int:
    """The largest record id of the dataset, 0 if it is empty: grows with every import."""
    largest = session.exec(select(func.max(Record.id)).where(Record.dataset_id == dataset_id)).one()
    return largest or 0


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


def has_queued_job(session: Session, name: str, project_id: int) -> bool:
    """True while such a job has not started: it will see whatever is committed by then."""
    return (
        session.exec(
            select(Job.id)
            .where(Job.name == name, Job.project_id == project_id, Job.status == "queued")
            .limit(1)
        ).first()
        is not None
    )


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
