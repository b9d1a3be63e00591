"""Every query on consensus labels, and on the decisions that go before them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from backend.consensus.rule import RecordConsensus
from backend.core.parts import parts
from backend.models import (
    ConsensusLabel,
    Decision,
    LabelFinding,
    Prediction,
    ReviewCase,
    Task,
)
from backend.registry.repository import assessed_version


def first_predictions(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, tuple[str, float, dict[str, float]]]:
    """Task id to (grade, score, probabilities) that a classifier gave before any answer.

    Of the whole project, or of these tasks.
    """
    query = (
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
    return {
        task_id: (grade, score, dict(each))
        for condition in of_tasks(col(Prediction.task_id), task_ids)
        for task_id, grade, score, each in session.exec(query.where(condition))
    }


def unswayed_probabilities(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, dict[str, float]]:
    """Task id to the probabilities of its grades by the newest classifier that judged its label.

    It had not seen the label. Of the whole project, or of these tasks.
    """
    judge = assessed_version(session, project_id)
    if judge is None:
        return {}
    query = select(LabelFinding.task_id, LabelFinding.grade_probabilities).where(
        LabelFinding.model_version_id == judge.id
    )
    return {
        task_id: dict(shares)
        for condition in of_tasks(col(LabelFinding.task_id), task_ids)
        for task_id, shares in session.exec(query.where(condition))
        if shares
    }


def of_tasks(task_id: Mapped[Any], task_ids: Sequence[int] | None) -> Iterator[ColumnElement[bool]]:
    """Conditions that choose the rows of these tasks, some at a time; None: all at once."""
    if task_ids is None:
        yield true()
        return
    for part in parts(task_ids):
        yield task_id.in_(part)


def label_versions(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, tuple[str, int | None]]:
    """Task id to its consensus label's fingerprint and the answers wanted that it goes by.

    Of the whole project, or of these tasks.
    """
    query = select(
        ConsensusLabel.task_id, ConsensusLabel.fingerprint, ConsensusLabel.answers_wanted
    ).where(ConsensusLabel.project_id == project_id)
    return {
        task_id: (fingerprint, wanted)
        for condition in of_tasks(col(ConsensusLabel.task_id), task_ids)
        for task_id, fingerprint, wanted in session.exec(query.where(condition))
    }


def consensus_row(
    project_id: int, task_id: int, each: RecordConsensus, wanted: int | None, now: datetime
) -> dict[str, Any]:
    """What is stored of the task's consensus."""
    return {
        "task_id": task_id,
        "project_id": project_id,
        "grade": each.grade,
        "confidence": each.confidence,
        "probabilities": dict(each.probabilities),
        "issues": dict(each.issues),
        "faulty_fields": dict(each.faulty_fields),
        "votes": each.votes,
        "skips": each.skips,
        "is_complete": each.is_complete,
        "method": each.method,
        "fingerprint": each.fingerprint(),
        "answers_wanted": wanted,
        "computed_at": now,
    }


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
    for part in parts(task_ids):
        session.execute(delete(ConsensusLabel).where(col(ConsensusLabel.task_id).in_(part)))


def standing_decisions(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, Decision]:
    """Task id to the decision that stands for it, of the whole project or of these tasks."""
    query = (
        select(ReviewCase.task_id, Decision)
        .join(Decision, col(Decision.id) == col(ReviewCase.decision_id))
        .where(ReviewCase.project_id == project_id)
    )
    return {
        task_id: decision
        for condition in of_tasks(col(ReviewCase.task_id), task_ids)
        for task_id, decision in session.exec(query.where(condition))
    }


def settled_labels(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, str | None]:
    """First task's id to the label that the desk shows, where nobody's answer is waited for.

    What was decided goes before the consensus; None for a tie, and where there is no right grade.
    Of the whole project, or of these tasks.
    """
    decided = standing_decisions(session, project_id, task_ids)
    query = select(ConsensusLabel.task_id, ConsensusLabel.grade).where(
        ConsensusLabel.project_id == project_id, col(ConsensusLabel.is_complete)
    )
    found: dict[int, str | None] = {
        task_id: grade
        for condition in of_tasks(col(ConsensusLabel.task_id), task_ids)
        for task_id, grade in session.exec(query.where(condition))
    }
    found.update({place: decision.grade for place, decision in decided.items()})
    return found
