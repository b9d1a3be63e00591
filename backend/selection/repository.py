"""Every query on batches, their tasks and the predictions that people are shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

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
) -> Batch:
    """A new batch without tasks."""
    batch = Batch(
        project_id=project_id,
        round=round_number,
        strategy=strategy,
        model_version_id=model_version_id,
        seed=seed,
        created_at=now,
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
