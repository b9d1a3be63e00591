"""Every query on where the loop stands: batches, tasks, answers, jobs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.loop.revision_repository import latest_first
from backend.models import (
    Annotation,
    Batch,
    Job,
    ModelVersion,
    Record,
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


def answers_by_task(
    session: Session, project_id: int, annotators_per_record: int
) -> dict[int, tuple[int, int, int]]:
    """First task's id to (batch id, number of distinct annotators with an answer, wanted).

    Answers to copies that a task was sent back as count with it; hidden gold copies are nobody's
    work to wait for. Tasks deleted in Label Studio are left out; a skip counts as an answer.
    """
    place = (
        func.row_number()
        .over(partition_by=col(Annotation.label_studio_annotation_id), order_by=latest_first())
        .label("place")
    )
    latest = (
        select(Annotation.task_id, Annotation.annotator_id, Annotation.is_deleted, place)
        .where(Annotation.project_id == project_id)
        .subquery()
    )
    first = func.coalesce(col(Task.original_id), col(Task.id)).label("first_id")
    answers = (
        select(first, func.count(latest.c.annotator_id.distinct()).label("answers"))
        .join(latest, latest.c.task_id == col(Task.id))
        .where(
            latest.c.place == 1,
            latest.c.is_deleted.is_(False),
            Task.purpose != "gold",
            col(Task.deleted_at).is_(None),
        )
        .group_by(first)
        .subquery()
    )
    rows = session.exec(
        select(
            Task.id,
            Task.batch_id,
            func.coalesce(answers.c.answers, 0),
            func.coalesce(col(Task.annotators_wanted), annotators_per_record),
        )
        .outerjoin(answers, answers.c.first_id == col(Task.id))
        .where(
            Task.project_id == project_id,
            Task.purpose == "label",
            col(Task.deleted_at).is_(None),
        )
    )
    return {
        task_id: (batch_id, count, wanted)
        for task_id, batch_id, count, wanted in rows
        if task_id is not None
    }


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


def tasks(session: Session, project_id: int) -> Sequence[Task]:
    """Every task of the project, by id."""
    return session.exec(
        select(Task).where(Task.project_id == project_id).order_by(col(Task.id))
    ).all()


def tasked_record_ids(session: Session, project_id: int) -> set[int]:
    """Records that have a task in the project."""
    return set(session.exec(select(Task.record_id).where(Task.project_id == project_id)))
