"""Every query on where the loop stands: batches, answers, cursor, events, jobs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from backend.annotations.repository import latest_first
from backend.models import (
    Annotation,
    Batch,
    Job,
    ModelVersion,
    Prediction,
    Record,
    SyncCursor,
    Task,
    WebhookEvent,
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


def tasks_with_records(session: Session, batch_id: int) -> Sequence[tuple[Task, Record]]:
    """The batch's tasks to push with their records, most useful first; imported ones are not."""
    return session.exec(
        select(Task, Record)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(
            Task.batch_id == batch_id,
            ~col(Task.key).startswith(IMPORTED_KEY, autoescape=True),
        )
        .order_by(col(Task.position))
    ).all()


def predictions_of_batch(session: Session, batch_id: int) -> dict[int, Prediction]:
    """Task id to the prediction that its annotators are shown."""
    rows = session.exec(
        select(Prediction)
        .join(Task, col(Task.id) == col(Prediction.task_id))
        .where(Task.batch_id == batch_id)
        .order_by(col(Prediction.id))
    )
    return {row.task_id: row for row in rows}


def model_version_names(session: Session, project_id: int) -> dict[int, int]:
    """Model version id to its number."""
    rows = session.exec(
        select(ModelVersion.id, ModelVersion.number).where(ModelVersion.project_id == project_id)
    )
    return {version_id: number for version_id, number in rows if version_id is not None}


def pushed_keys(session: Session, project_id: int, limit: int) -> list[str]:
    """Keys of some tasks that Label Studio was given and is not known to have lost."""
    return list(
        session.exec(
            select(Task.key)
            .where(
                Task.project_id == project_id,
                col(Task.label_studio_task_id).is_not(None),
                col(Task.deleted_at).is_(None),
            )
            .order_by(col(Task.id))
            .limit(limit)
        )
    )


def mark_batch_pushed(session: Session, batch_id: int, now: datetime) -> None:
    """Label Studio holds every task of the batch."""
    session.exec(update(Batch).where(col(Batch.id) == batch_id).values(pushed_at=now))


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


def get_cursor(session: Session, project_id: int) -> SyncCursor:
    """How far the project's sync has read."""
    row = session.get(SyncCursor, project_id)
    if row is None:
        row = SyncCursor(project_id=project_id)
        session.add(row)
        session.flush()
    return row


def lock_intake(session: Session, project_id: int) -> None:
    """Until this transaction ends nobody else takes in annotations of the project."""
    session.exec(
        select(SyncCursor).where(SyncCursor.project_id == project_id).with_for_update()
    ).one_or_none()


def move_cursor(session: Session, project_id: int, newest: datetime) -> None:
    """The sync has read up to ``newest``; the cursor never goes back."""
    row = get_cursor(session, project_id)
    if row.cursor is None or row.cursor < newest:
        row.cursor = newest
        session.add(row)
        session.flush()


def mark_synced(session: Session, project_id: int, now: datetime) -> None:
    """A sync went through to its end."""
    row = get_cursor(session, project_id)
    row.synced_at, row.error = now, None
    session.add(row)
    session.flush()


def mark_sync_failed(session: Session, project_id: int, error: str) -> None:
    """The last sync did not go through, and why; a sync that does clears it."""
    row = get_cursor(session, project_id)
    row.error = error
    session.add(row)
    session.flush()


def mark_listed(session: Session, project_id: int, now: datetime) -> None:
    """Every task id of the project was compared with Label Studio."""
    row = get_cursor(session, project_id)
    row.listed_at = now
    session.add(row)
    session.flush()


def add_event(
    session: Session, *, project_id: int | None, action: str | None, body: str, now: datetime
) -> WebhookEvent:
    """The raw event is stored."""
    event = WebhookEvent(project_id=project_id, action=action, body=body, received_at=now)
    session.add(event)
    session.flush()
    return event


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


def received_events(session: Session, project_id: int, limit: int = 1_000) -> list[WebhookEvent]:
    """Events not applied yet, in order of arrival."""
    return list(
        session.exec(
            select(WebhookEvent)
            .where(WebhookEvent.project_id == project_id, WebhookEvent.status == "received")
            .order_by(col(WebhookEvent.id))
            .limit(limit)
        )
    )
