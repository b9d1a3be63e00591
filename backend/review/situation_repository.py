"""The queries that read what asks for decisions, and keep the consensus labels."""

from collections.abc import Sequence

from sqlalchemy import text, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.consensus.repository import of_tasks
from backend.loop.answer_repository import first_id
from backend.loop.answers import GOLD
from backend.loop.revision_repository import is_standing
from backend.models import (
    Annotation,
    CaseReason,
    ConsensusLabel,
    Decision,
    LabelFinding,
    Record,
    ReviewCase,
    Task,
)
from backend.review.triage import Suspicion

CHUNK = 500
"""Ids or rows a statement: below the 999 parameters that SQLite allowed before 3.32 (2020)."""


def records_of_tasks(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, tuple[str, bool]]:
    """Record id to (kind, whether it is the current version), for records with a task.

    Of the whole project, or of these tasks.
    """
    return {
        record_id: (kind, current)
        for condition in of_tasks(col(Task.id), task_ids)
        for record_id, kind, current in session.exec(
            select(Record.id, Record.kind, Record.is_current).where(
                col(Record.id).in_(
                    select(Task.record_id).where(Task.project_id == project_id, condition)
                )
            )
        )
        if record_id
    }


def newer_records(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, int]:
    """Record id to the id of its current version, for records with a task that are not current."""
    old, new = aliased(Record), aliased(Record)
    query = (
        select(old.id, new.id)
        .join(
            new,
            (col(new.dataset_id) == old.dataset_id) & (col(new.external_id) == old.external_id),
        )
        .where(col(old.is_current).is_(False), col(new.is_current).is_(True))
    )
    return {
        before: after
        for condition in of_tasks(col(Task.id), task_ids)
        for before, after in session.exec(
            query.where(
                col(old.id).in_(
                    select(Task.record_id).where(Task.project_id == project_id, condition)
                )
            )
        )
        if before and after
    }


def findings_of(
    session: Session, model_version_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, LabelFinding]:
    """Task id to what the assessment of that model version found about its label."""
    query = select(LabelFinding).where(LabelFinding.model_version_id == model_version_id)
    return {
        row.task_id: row
        for condition in of_tasks(col(LabelFinding.task_id), task_ids)
        for row in session.exec(query.where(condition))
    }


def put_suspicions(session: Session, rows: Sequence[tuple[int, Suspicion]]) -> None:
    """Each finding, by its id, says that its label is so likely wrong."""
    if rows:
        session.execute(
            update(LabelFinding),
            [
                {"id": finding_id, "suspicion": each.wrong, "is_suspect": each.is_suspect}
                for finding_id, each in rows
            ],
        )


def tasks_with_lost_answers(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> set[int]:
    """First tasks of the records of which some annotation is deleted in Label Studio."""
    found: set[int] = set()
    firsts, copies = (of_tasks(col(each), task_ids) for each in (Task.id, Task.original_id))
    for is_first, is_copy in zip(firsts, copies, strict=True):
        is_latest = is_standing(
            col(Annotation.project_id) == project_id,
            col(Annotation.task_id).in_(
                select(Task.id).where(Task.project_id == project_id, is_first | is_copy)
            ),
            include_deleted=True,
        )
        found.update(
            session.exec(
                select(first_id())
                .join(Annotation, col(Annotation.task_id) == col(Task.id))
                .where(
                    is_latest,
                    col(Annotation.is_deleted).is_(True),
                    col(Task.purpose) != GOLD,
                )
                .distinct()
            )
        )
    return found


def cases_by_task(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, ReviewCase]:
    """Task id to its case."""
    query = select(ReviewCase).where(ReviewCase.project_id == project_id)
    return {
        case.task_id: case
        for condition in of_tasks(col(ReviewCase.task_id), task_ids)
        for case in session.exec(query.where(condition))
    }


def seen_by_decisions(
    session: Session, project_id: int, task_ids: Sequence[int] | None = None
) -> dict[int, frozenset[str]]:
    """Task id to what the decision that stands for it has seen."""
    query = (
        select(ReviewCase.task_id, Decision.seen)
        .join(Decision, col(Decision.id) == col(ReviewCase.decision_id))
        .where(ReviewCase.project_id == project_id)
    )
    return {
        task_id: frozenset(seen)
        for condition in of_tasks(col(ReviewCase.task_id), task_ids)
        for task_id, seen in session.exec(query.where(condition))
    }


def renew_statistics(session: Session) -> None:
    """PostgreSQL plans the queue's queries with the tables as they are now.

    By itself it looks a minute later; until then a plan for empty tables can take minutes.
    SQLite plans by its indexes alone.
    """
    if session.get_bind().dialect.name == "postgresql":
        for model in (Task, Annotation, ConsensusLabel, ReviewCase, CaseReason):
            session.execute(text(f"ANALYZE {model.__tablename__}"))
