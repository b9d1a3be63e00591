"""Every query on what was sent to the desk."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from backend.consensus.repository import of_tasks
from backend.core.parts import parts
from backend.models import ConsensusLabel, SentCase, Task
from backend.review import situation_repository
from backend.review.triage import mark_of


def answered_tasks(session: Session, project_id: int, record_ids: Sequence[int]) -> dict[int, int]:
    """Record id to its first task, of those of the records that have a consensus label or a tie."""
    found: dict[int, int] = {}
    for part in parts(record_ids):
        rows = session.exec(
            select(Task.record_id, ConsensusLabel.task_id)
            .join(Task, col(Task.id) == col(ConsensusLabel.task_id))
            .where(ConsensusLabel.project_id == project_id, col(Task.record_id).in_(part))
            .order_by(col(ConsensusLabel.task_id))
        )
        found.update(rows.all())
    return found


def open_sendings(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, SentCase]:
    """First task's id to its newest sending, where the decision that stands has not seen it.

    Of the whole project or of these tasks.
    """
    seen = situation_repository.seen_by_decisions(session, project_id, task_ids)
    query = select(SentCase).where(SentCase.project_id == project_id).order_by(col(SentCase.id))
    newest = {
        row.task_id: row
        for condition in of_tasks(col(SentCase.task_id), task_ids)
        for row in session.exec(query.where(condition))
    }
    return {
        task_id: row
        for task_id, row in newest.items()
        if mark_of(row.id) not in seen.get(task_id, frozenset())
    }


def tasks_of(session: Session, project_id: int, sending: str) -> list[int]:
    """The first tasks that were sent by this click."""
    return list(
        session.exec(
            select(SentCase.task_id)
            .where(SentCase.project_id == project_id, SentCase.sending == sending)
            .order_by(col(SentCase.id))
        )
    )


def add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """The sendings are stored."""
    session.execute(insert(SentCase), list(rows))


def drop(session: Session, sending: str, task_ids: Sequence[int]) -> None:
    """These tasks were not sent by this click."""
    for part in parts(task_ids):
        session.execute(
            delete(SentCase).where(
                col(SentCase.sending) == sending, col(SentCase.task_id).in_(part)
            )
        )
