"""Every query of the loop: labels in, batches and predictions out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

from backend.models import (
    Batch,
    Job,
    Prediction,
    Project,
    Record,
    Task,
)

CHUNK = 5_000


def get_project(session: Session, project_id: int) -> Project | None:
    """The project with that id."""
    return session.get(Project, project_id)


def tasks(session: Session, project_id: int) -> Sequence[Task]:
    """Every task of the project, by id."""
    return session.exec(
        select(Task).where(Task.project_id == project_id).order_by(col(Task.id))
    ).all()


def iterate_records(session: Session, dataset_id: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(id, content hash, fields) of every current record of the dataset, by id."""
    last = 0
    while True:
        rows = session.exec(
            select(Record.id, Record.content_hash, Record.fields)
            .where(
                Record.dataset_id == dataset_id,
                col(Record.is_current).is_(True),
                col(Record.id) > last,
            )
            .order_by(col(Record.id))
            .limit(CHUNK)
        ).all()
        for record_id, content_hash, fields in rows:
            assert record_id is not None
            yield record_id, content_hash, dict(fields)
            last = record_id
        if len(rows) < CHUNK:
            return


def records_by_id(session: Session, record_ids: Sequence[int]) -> dict[int, Record]:
    """The records with those ids, current or not."""
    found: dict[int, Record] = {}
    for start in range(0, len(record_ids), 500):
        part = record_ids[start : start + 500]
        for row in session.exec(select(Record).where(col(Record.id).in_(part))):
            assert row.id is not None
            found[row.id] = row
    return found


def record_state(session: Session, dataset_id: int) -> tuple[int, int]:
    """(number of current records, largest record id): changes whenever the records do."""
    count, largest = session.exec(
        select(func.count(), func.coalesce(func.max(Record.id), 0)).where(
            Record.dataset_id == dataset_id, col(Record.is_current).is_(True)
        )
    ).one()
    return count, largest or 0


def tasked_record_ids(session: Session, project_id: int) -> set[int]:
    """Records that have a task in the project."""
    return set(session.exec(select(Task.record_id).where(Task.project_id == project_id)))


def find_batch(session: Session, project_id: int, round_number: int) -> Batch | None:
    """The batch of that round."""
    return session.exec(
        select(Batch).where(Batch.project_id == project_id, Batch.round == round_number)
    ).one_or_none()


def last_batch(session: Session, project_id: int) -> Batch | None:
    """The project's newest batch."""
    return session.exec(
        select(Batch).where(Batch.project_id == project_id).order_by(col(Batch.round).desc())
    ).first()


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
    return {record_id: task_id for record_id, task_id in found if task_id is not None}


def add_predictions(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """The predictions that annotators will be shown are stored."""
    if rows:
        session.execute(insert(Prediction), list(rows))


def is_pool_empty(session: Session, project: Project) -> bool:
    """True if every current record of the project's dataset has a task."""
    count, _ = record_state(session, project.dataset_id)
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


def newest_jobs(session: Session, project_id: int, limit: int = 5) -> Sequence[Job]:
    """The project's jobs enqueued last, newest first."""
    return session.exec(
        select(Job)
        .where(Job.project_id == project_id)
        .order_by(col(Job.enqueued_at).desc())
        .limit(limit)
    ).all()
