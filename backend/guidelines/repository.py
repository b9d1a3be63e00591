"""Every query on guidelines, on answers that can differ, and on decisions that name a rule."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.guidelines.schemas import Given
from backend.loop.answer_repository import answers
from backend.models import Annotation, Decision, Guideline, ReviewCase


def versions(session: Session, project_id: int) -> Sequence[Guideline]:
    """Every version, newest first."""
    return session.exec(
        select(Guideline)
        .where(Guideline.project_id == project_id)
        .order_by(col(Guideline.version).desc())
    ).all()


def add(session: Session, row: Guideline) -> Guideline:
    """The version is stored and has its id."""
    session.add(row)
    session.flush()
    return row


def mark_published(session: Session, guideline_id: int, now: datetime) -> None:
    """The version is the one that counts from now on."""
    session.exec(
        update(Guideline).where(col(Guideline.id) == guideline_id).values(published_at=now)
    )


def answers_that_can_differ(session: Session, project_id: int) -> list[Given]:
    """The answers that count of records with two or more, in the order of their revision."""
    given = answers(project_id)
    several = select_columns(given.c.first_id).group_by(given.c.first_id).having(func.count() > 1)
    rows = session.execute(
        select_columns(
            given.c.first_id,
            col(Annotation.annotator_id),
            col(Annotation.label_studio_annotation_id),
            col(Annotation.was_cancelled),
            col(Annotation.grade),
            col(Annotation.issues),
            col(Annotation.faulty_fields),
        )
        .join(given, given.c.id == col(Annotation.id))
        .where(given.c.first_id.in_(several))
        .order_by(col(Annotation.revised_at), col(Annotation.id))
    )
    return [
        Given(
            record=row[0],
            who=row[1] if row[1] is not None else f"annotation {row[2]}",
            is_skip=row[3],
            grade=row[4],
            issues=tuple(row[5]),
            faulty_fields=tuple(row[6]),
        )
        for row in rows
    ]


def decisions_by_rule(session: Session, project_id: int) -> dict[str, int]:
    """Rule to the number of decisions that named it and were not undone."""
    undoing = aliased(Decision)
    rows = session.exec(
        select(Decision.rule, func.count())
        .join(ReviewCase, col(ReviewCase.id) == col(Decision.case_id))
        .where(
            ReviewCase.project_id == project_id,
            col(Decision.rule).is_not(None),
            Decision.action != "undo",
            ~select(undoing.id).where(undoing.undoes_id == Decision.id).exists(),
        )
        .group_by(col(Decision.rule))
        .order_by(col(Decision.rule))
    )
    return {rule: count for rule, count in rows if rule}
