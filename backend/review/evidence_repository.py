"""The queries that read what asks for decisions, and keep the consensus labels."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from backend.models import (
    Annotation,
    CaseReason,
    ConsensusLabel,
    Decision,
    LabelFinding,
    Prediction,
    Record,
    ReviewCase,
    Task,
)

CHUNK = 500


def tasks(session: Session, project_id: int) -> Sequence[Task]:
    """Every task of the project, by id."""
    return session.exec(
        select(Task).where(Task.project_id == project_id).order_by(col(Task.id))
    ).all()


def records_of_tasks(session: Session, project_id: int) -> dict[int, tuple[str, bool]]:
    """Record id to (kind, whether it is the current version), for records with a task."""
    rows = session.exec(
        select(Record.id, Record.kind, Record.is_current).where(
            col(Record.id).in_(select(Task.record_id).where(Task.project_id == project_id))
        )
    )
    return {record_id: (kind, current) for record_id, kind, current in rows if record_id}


def first_predictions(
    session: Session, project_id: int
) -> dict[int, tuple[str, float, dict[str, float]]]:
    """Task id to (grade, score, probabilities) that a classifier gave before any answer."""
    rows = session.exec(
        select(
            Prediction.task_id,
            Prediction.grade,
            Prediction.score,
            Prediction.grade_probabilities,
        )
        .join(Task, col(Task.id) == col(Prediction.task_id))
        .where(Task.project_id == project_id)
        .order_by(col(Prediction.id).desc())  # so that the first one stays
    )
    return {task_id: (grade, score, dict(each)) for task_id, grade, score, each in rows}


def newest_findings(session: Session, project_id: int) -> dict[int, LabelFinding]:
    """Task id to what the newest assessment found about its label."""
    newest = (
        select(func.max(LabelFinding.model_version_id))
        .where(LabelFinding.project_id == project_id)
        .scalar_subquery()
    )
    rows = session.exec(select(LabelFinding).where(LabelFinding.model_version_id == newest))
    return {row.task_id: row for row in rows}


def tasks_with_lost_answers(session: Session, project_id: int) -> set[int]:
    """Tasks of which some annotation was deleted in Label Studio."""
    return set(
        session.exec(
            select(Annotation.task_id)
            .where(Annotation.project_id == project_id, col(Annotation.is_deleted).is_(True))
            .distinct()
        )
    )


def consensus_fingerprints(session: Session, project_id: int) -> dict[int, str]:
    """Task id to the fingerprint of its consensus label."""
    rows = session.exec(
        select(ConsensusLabel.task_id, ConsensusLabel.fingerprint).where(
            ConsensusLabel.project_id == project_id
        )
    )
    return dict(rows.all())


def put_consensus(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """These consensus labels are stored; others of their tasks are replaced."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    statement: Any = (
        postgresql.insert(ConsensusLabel)
        if dialect == "postgresql"
        else sqlite.insert(ConsensusLabel)
    )
    changed = {name: statement.excluded[name] for name in rows[0] if name != "task_id"}
    statement = statement.on_conflict_do_update(index_elements=["task_id"], set_=changed)
    session.execute(statement, list(rows))


def drop_consensus(session: Session, task_ids: Sequence[int]) -> None:
    """These tasks have no consensus label any more."""
    for part in (task_ids[start : start + CHUNK] for start in range(0, len(task_ids), CHUNK)):
        session.execute(delete(ConsensusLabel).where(col(ConsensusLabel.task_id).in_(part)))


def cases_by_task(session: Session, project_id: int) -> dict[int, ReviewCase]:
    """Task id to its case."""
    rows = session.exec(select(ReviewCase).where(ReviewCase.project_id == project_id))
    return {case.task_id: case for case in rows}


def opinions(session: Session, project_id: int) -> dict[int, dict[str, float]]:
    """Task id to the probabilities that a classifier gave its grades before any answer."""
    found = first_predictions(session, project_id)
    return {task_id: shares for task_id, (_, _, shares) in found.items()}


def standing_decisions(session: Session, project_id: int) -> dict[int, Decision]:
    """Task id to the decision that stands for it."""
    rows = session.exec(
        select(ReviewCase.task_id, Decision)
        .join(Decision, col(Decision.id) == col(ReviewCase.decision_id))
        .where(ReviewCase.project_id == project_id)
    )
    return dict(rows.all())


def renew_statistics(session: Session) -> None:
    """PostgreSQL plans the queue's queries with the tables as they are now.

    By itself it looks a minute later; until then a plan for empty tables can take minutes.
    SQLite plans by its indexes alone.
    """
    if session.get_bind().dialect.name == "postgresql":
        for model in (Task, Annotation, ConsensusLabel, ReviewCase, CaseReason):
            session.execute(text(f"ANALYZE {model.__tablename__}"))
