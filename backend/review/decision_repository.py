"""Every query on decisions, and on the copies of tasks that they ask for."""

from collections.abc import Sequence

from sqlalchemy import case, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from backend.models import Batch, Decision, Record, ReviewCase, Task


def add(session: Session, decision: Decision) -> Decision:
    """The decision is stored and has its id."""
    session.add(decision)
    session.flush()
    return decision


def get(session: Session, decision_id: int) -> Decision | None:
    """The decision with that id."""
    return session.get(Decision, decision_id)


def of_case(session: Session, case_id: int) -> Sequence[Decision]:
    """The case's decisions, oldest first."""
    return session.exec(
        select(Decision).where(Decision.case_id == case_id).order_by(col(Decision.id))
    ).all()


def not_undone(session: Session, case_id: int) -> list[Decision]:
    """The case's decisions that were not taken back, oldest first."""
    rows = of_case(session, case_id)
    undone = {row.undoes_id for row in rows if row.action == "undo"}
    return [row for row in rows if row.action != "undo" and row.id not in undone]


def of_bulk(session: Session, project_id: int, bulk_id: str) -> Sequence[Decision]:
    """The decisions of one bulk action, oldest first."""
    return session.exec(
        select(Decision)
        .join(ReviewCase, col(ReviewCase.id) == col(Decision.case_id))
        .where(Decision.bulk_id == bulk_id, ReviewCase.project_id == project_id)
        .order_by(col(Decision.id))
    ).all()


def newest_bulks(
    session: Session, project_id: int, limit: int
) -> list[tuple[str, str, str, int, int]]:
    """(bulk id, action, author, cases, undone) of the newest bulk actions, newest first."""
    is_undo = col(Decision.action) == "undo"
    rows = session.execute(
        sql_select(
            col(Decision.bulk_id),
            func.min(case((~is_undo, col(Decision.action)))),
            func.min(case((~is_undo, col(Decision.author)))),
            func.count(case((~is_undo, 1))),
            func.count(case((is_undo, 1))),
        )
        .join(ReviewCase, col(ReviewCase.id) == col(Decision.case_id))
        .where(col(ReviewCase.project_id) == project_id, col(Decision.bulk_id).is_not(None))
        .group_by(col(Decision.bulk_id))
        .order_by(func.max(Decision.id).desc())
        .limit(limit)
    )
    return [tuple(row) for row in rows]


def standing_before(session: Session, case_id: int, decision_id: int) -> Decision | None:
    """The last decision before that one which gave the case a label and was not undone."""
    found = [
        row
        for row in not_undone(session, case_id)
        if row.id < decision_id and row.action in {"decide", "ambiguous", "reopen"}
    ]
    return found[-1] if found and found[-1].action != "reopen" else None


def newest_decisions(
    session: Session, project_id: int, but: int, limit: int
) -> list[tuple[int, Record, Decision]]:
    """(case id, record, decision) of the cases decided last, without the case ``but``."""
    rows = session.exec(
        select(ReviewCase.id, Record, Decision)
        .join(Decision, col(Decision.id) == col(ReviewCase.decision_id))
        .join(Task, col(Task.id) == col(ReviewCase.task_id))
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(
            ReviewCase.project_id == project_id,
            ReviewCase.state == "decided",
            ReviewCase.id != but,
        )
        .order_by(col(Decision.id).desc())
        .limit(limit)
    )
    return [(case_id, record, decision) for case_id, record, decision in rows if case_id]


def last_attempt(session: Session, task: Task) -> int:
    """The number of the newest task of the same record."""
    return session.exec(
        select(func.max(Task.attempt)).where(
            Task.project_id == task.project_id, Task.record_id == task.record_id
        )
    ).one()


def add_task(session: Session, task: Task) -> Task:
    """The task is stored, and its batch has something to push again."""
    session.add(task)
    batch = session.get(Batch, task.batch_id)
    assert batch is not None
    batch.pushed_at = None
    session.add(batch)
    session.flush()
    return task


def ask_more(session: Session, task: Task, wanted: int) -> None:
    """The task wants so many answers."""
    task.annotators_wanted = wanted
    session.add(task)
    session.flush()


def tasks_to_ask(session: Session, project_id: int) -> Sequence[Task]:
    """Tasks in Label Studio that want another number of answers than it was told."""
    return session.exec(
        select(Task)
        .where(
            Task.project_id == project_id,
            col(Task.label_studio_task_id).is_not(None),
            col(Task.deleted_at).is_(None),
            col(Task.annotators_wanted).is_not(None),
            col(Task.annotators_asked).is_(None)
            | (col(Task.annotators_asked) != col(Task.annotators_wanted)),
        )
        .order_by(col(Task.id))
    ).all()


def mark_asked(session: Session, task_id: int, asked: int) -> None:
    """Label Studio was told to get so many answers."""
    task = session.get(Task, task_id)
    assert task is not None
    task.annotators_asked = asked
    session.add(task)
    session.flush()


def gold_originals(session: Session, project_id: int) -> set[int]:
    """Tasks whose records have been hidden gold records already."""
    found = session.exec(
        select(Task.original_id).where(Task.project_id == project_id, Task.purpose == "gold")
    )
    return {task_id for task_id in found if task_id is not None}
