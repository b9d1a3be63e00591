"""Every query on batches, their tasks and the predictions that people are shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.loop.repository import CHOSEN
from backend.models import (
    Batch,
    Prediction,
    Project,
    Record,
    Task,
)
from backend.records import repository as records


def find_batch(session: Session, project_id: int, round_number: int) -> Batch | None:
    """The batch of that round."""
    return session.exec(
        select(Batch).where(Batch.project_id == project_id, Batch.round == round_number)
    ).one_or_none()


def add_batch(
    session: Session,
    *,
    project_id: int,
    round_number: int,
    strategy: str,
    model_version_id: int | None,
    seed: int,
    now: datetime,
    sending: str = "",
) -> Batch:
    """A new batch without tasks."""
    batch = Batch(
        project_id=project_id,
        round=round_number,
        strategy=strategy,
        model_version_id=model_version_id,
        seed=seed,
        created_at=now,
        sending=sending,
    )
    session.add(batch)
    session.flush()
    return batch


def add_tasks(session: Session, rows: Sequence[dict[str, Any]]) -> Mapping[int, int]:
    """The tasks are stored; record id to task id."""
    session.execute(insert(Task), list(rows))
    if not rows:
        return {}
    found = session.exec(
        select(Task.record_id, Task.id).where(Task.batch_id == rows[0]["batch_id"])
    )
    return dict(found.all())


def add_predictions(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """The predictions that annotators will be shown are stored."""
    if rows:
        session.execute(insert(Prediction), list(rows))


def is_pool_empty(session: Session, project: Project) -> bool:
    """True if every current record of the project's dataset has a task."""
    count = records.count_current(session, project.dataset_id)
    tasked = session.exec(
        select(func.count())
        .select_from(Task)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(
            Task.project_id == project.id,
            Task.attempt == 1,
            col(Record.is_current).is_(True),
        )
    ).one()
    return tasked >= count


def find_chosen(session: Session, project_id: int, sending: str) -> Batch | None:
    """The batch that this click has made."""
    return session.exec(
        select(Batch).where(
            Batch.project_id == project_id, Batch.strategy == CHOSEN, Batch.sending == sending
        )
    ).one_or_none()


def count_tasks(session: Session, batch_id: int) -> tuple[int, int]:
    """How many tasks the batch has, and how many of them Label Studio was given."""
    tasks, pushed = session.exec(
        select(func.count(), func.count(col(Task.label_studio_task_id))).where(
            Task.batch_id == batch_id
        )
    ).one()
    return tasks, pushed


def drop_batch(session: Session, batch_id: int) -> None:
    """The batch, its tasks and their suggestions are gone; nobody may have answered."""
    tasks = select(Task.id).where(Task.batch_id == batch_id)
    session.execute(delete(Prediction).where(col(Prediction.task_id).in_(tasks)))
    session.execute(delete(Task).where(col(Task.batch_id) == batch_id))
    session.execute(delete(Batch).where(col(Batch.id) == batch_id))


def current_among(session: Session, dataset_id: int, record_ids: Sequence[int]) -> set[int]:
    """Those of the records that are current versions of the dataset's."""
    found: set[int] = set()
    for part in parts(record_ids):
        found.update(
            session.exec(
                select(Record.id).where(
                    col(Record.id).in_(part),
                    Record.dataset_id == dataset_id,
                    col(Record.is_current),
                )
            )
        )
    return found


def tasked_among(session: Session, project_id: int, record_ids: Sequence[int]) -> set[int]:
    """Those of the records that have a task in the project."""
    found: set[int] = set()
    for part in parts(record_ids):
        found.update(
            session.exec(
                select(Task.record_id).where(
                    Task.project_id == project_id, col(Task.record_id).in_(part)
                )
            )
        )
    return found


def record_ids_of(session: Session, batch_id: int) -> list[int]:
    """The batch's records in the order in which people get them."""
    return list(
        session.exec(
            select(Task.record_id).where(Task.batch_id == batch_id).order_by(col(Task.position))
        )
    )
