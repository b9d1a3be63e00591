"""Every query of the work reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from backend.loop.repository import CHOSEN
from backend.models import Batch, Task, WorkReport


def tasks_state(session: Session, project_id: int) -> list[int]:
    """What of the tasks a report depends on, in a few numbers."""
    numbers: list[Any] = [
        func.count(),
        func.max(Task.id),
        func.count(col(Task.label_studio_task_id)),
        func.count(col(Task.deleted_at)),
        func.count(col(Task.annotators_wanted)),
        func.sum(Task.annotators_wanted),
    ]
    row = session.exec(select(*numbers).where(Task.project_id == project_id)).one()
    return _whole(row)


def rounds(session: Session, project_id: int) -> dict[int, int]:
    """Batch id to its round; not those of records that people chose."""
    rows = session.exec(
        select(Batch.id, Batch.round).where(
            Batch.project_id == project_id, Batch.strategy != CHOSEN
        )
    )
    return dict(rows.all())


def report(session: Session, project_id: int) -> WorkReport | None:
    """The project's report."""
    return session.get(WorkReport, project_id)


def put_report(
    session: Session,
    project_id: int,
    fingerprint: str,
    content: dict[str, Any],
    computed_at: datetime,
) -> None:
    """The project has this report and no other."""
    values = {"fingerprint": fingerprint, "content": content, "computed_at": computed_at}
    statement: Any = (
        postgresql.insert(WorkReport)
        if session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(WorkReport)
    ).values(project_id=project_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["project_id"], set_=values))


def _whole(row: Sequence[Any]) -> list[int]:
    return [int(value or 0) for value in row]
