"""Every query on the tasks that a Label Studio asks about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, true
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.models import Batch, Prediction, Task


@dataclass(frozen=True)
class PushedTask:
    """A task of ours, and whether a classifier's suggestion was there when it was chosen."""

    task: Task
    came_without_suggestion: bool
    """A classifier chose the batch, and did not suggest anything for this task."""


def by_keys(session: Session, project_id: int, keys: Sequence[str]) -> dict[str, PushedTask]:
    """The project's tasks with those keys."""
    return {
        each.task.key: each
        for part in parts(keys)
        for each in _tasks(session, project_id, col(Task.key).in_(part))
    }


def of_records(session: Session, project_id: int, record_ids: Sequence[int]) -> list[PushedTask]:
    """The project's tasks about those versions of records, copies among them."""
    return [
        each
        for part in parts(record_ids)
        for each in _tasks(session, project_id, col(Task.record_id).in_(part))
    ]


def of_project(session: Session, project_id: int) -> list[PushedTask]:
    """All tasks of the project."""
    return list(_tasks(session, project_id, true()))


def _tasks(session: Session, project_id: int, wanted: ColumnElement[bool]) -> Iterator[PushedTask]:
    has_prediction = exists().where(col(Prediction.task_id) == col(Task.id))
    rows = session.exec(
        select(Task, and_(col(Batch.model_version_id).is_not(None), ~has_prediction))
        .join(Batch, col(Batch.id) == col(Task.batch_id))
        .where(Task.project_id == project_id, wanted)
    )
    return (PushedTask(task, bool(is_bare)) for task, is_bare in rows)
