"""Every query on what Label Studio was given and how far it was read."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.loop.repository import is_due
from backend.models import (
    Batch,
    ModelVersion,
    Prediction,
    Record,
    SyncCursor,
    Task,
)


def set_label_studio_ids(session: Session, ids: Mapping[int, int]) -> None:
    """Each task (our id) is known by that id in Label Studio."""
    for task_id, label_studio_task_id in ids.items():
        session.exec(
            update(Task)
            .where(col(Task.id) == task_id)
            .values(label_studio_task_id=label_studio_task_id, deleted_at=None)
        )


def pushed_label_studio_ids(session: Session, project_id: int) -> list[int]:
    """Label Studio's ids of the project's tasks that are not known to be deleted there."""
    rows = session.exec(
        select(Task.label_studio_task_id).where(
            Task.project_id == project_id,
            col(Task.label_studio_task_id).is_not(None),
            col(Task.deleted_at).is_(None),
        )
    )
    return [row for row in rows if row is not None]


def suggested_label_studio_ids(
    session: Session, project_id: int, label_studio_ids: Sequence[int]
) -> list[int]:
    """Those of Label Studio's task ids for which a classifier's prediction is stored."""
    found: list[int] = []
    for part in parts(label_studio_ids):
        rows = session.exec(
            select(Task.label_studio_task_id).where(
                Task.project_id == project_id,
                col(Task.label_studio_task_id).in_(part),
                col(Task.id).in_(select(Prediction.task_id)),
            )
        )
        found.extend(row for row in rows if row is not None)
    return found


def pushed_tasks(session: Session, batch_id: int) -> Sequence[tuple[Task, Record]]:
    """The batch's tasks that Label Studio holds, with their records, most useful first."""
    return session.exec(
        select(Task, Record)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(
            Task.batch_id == batch_id,
            col(Task.label_studio_task_id).is_not(None),
            col(Task.deleted_at).is_(None),
        )
        .order_by(col(Task.position))
    ).all()


def due_tasks(session: Session, batch_id: int) -> Sequence[tuple[Task, Record]]:
    """The batch's tasks that are to be pushed, with their records, most useful first."""
    return session.exec(
        select(Task, Record)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(Task.batch_id == batch_id, *is_due())
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
    return dict(rows.all())


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


def find_cursor(session: Session, project_id: int) -> SyncCursor | None:
    """How far the project's sync has read; None if it never began."""
    return session.get(SyncCursor, project_id)


def get_cursor(session: Session, project_id: int) -> SyncCursor:
    """How far the project's sync has read."""
    row = session.get(SyncCursor, project_id)
    if row is None:
        row = SyncCursor(project_id=project_id)
        session.add(row)
        session.flush()
    return row


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


def keep_unreadable(session: Session, project_id: int, task_ids: Sequence[int]) -> None:
    """Label Studio could not show these of its tasks, and no others; they are read again."""
    row = get_cursor(session, project_id)
    row.unreadable = sorted(set(task_ids))
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
