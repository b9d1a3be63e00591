"""Every query on what counts beside a verdict."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from backend.loop.answers import LABEL
from backend.models import ConsensusState, Decision, MachineLabel, Record, ReviewCase, Task


def labels_state(session: Session, project_id: int) -> tuple[int, int, int]:
    """Changes whenever a consensus label, a decision or a task of the project does."""
    version = session.exec(
        select(ConsensusState.version).where(ConsensusState.project_id == project_id)
    ).first()
    decisions = session.exec(
        select(func.coalesce(func.max(Decision.id), 0))
        .join(ReviewCase, col(ReviewCase.id) == col(Decision.case_id))
        .where(ReviewCase.project_id == project_id)
    ).one()
    tasks = session.exec(
        select(func.coalesce(func.max(Task.id), 0)).where(Task.project_id == project_id)
    ).one()
    return (version or 0, decisions, tasks)


def first_tasks(session: Session, project_id: int) -> dict[int, int]:
    """First task's id to the version of the record that people are asked about."""
    rows = session.exec(
        select(Task.id, Task.record_id).where(
            Task.project_id == project_id,
            Task.purpose == LABEL,
            col(Task.original_id).is_(None),
        )
    )
    return dict(rows.all())


def machine_grades(session: Session, acceptance_id: int) -> Sequence[tuple[int, str]]:
    """(record id, grade) of every machine label of that acceptance."""
    return session.exec(
        select(MachineLabel.record_id, MachineLabel.grade).where(
            MachineLabel.acceptance_id == acceptance_id
        )
    ).all()


def records_by_id(session: Session, record_ids: Sequence[int]) -> dict[int, Record]:
    """The records with these ids; at most some hundred."""
    rows = session.exec(select(Record).where(col(Record.id).in_(record_ids)))
    return {row.id: row for row in rows}
