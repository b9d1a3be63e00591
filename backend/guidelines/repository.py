"""Every query on guidelines, on answers that can differ, and on decisions that name a rule."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy.orm import aliased, load_only
from sqlmodel import Session, col, select

from backend.annotations.repository import CHUNK, latest_first
from backend.models import Annotation, Decision, Guideline, Project, ReviewCase, Task


def lock_project(session: Session, project_id: int) -> None:
    """No other transaction changes the project's guideline before this one ends."""
    session.exec(select(Project.id).where(Project.id == project_id).with_for_update()).one()


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


def answers_that_can_differ(
    session: Session, project_id: int
) -> tuple[Sequence[Task], Sequence[Annotation]]:
    """Tasks of records with two annotations or more, and the revisions that count of them.

    Hidden gold copies are left out. Of each revision only what an answer says is loaded.
    """
    first = func.coalesce(Task.original_id, Task.id)
    several = (
        select(first)
        .join(Annotation, col(Annotation.task_id) == col(Task.id))
        .where(Task.project_id == project_id, Task.purpose != "gold")
        .group_by(first)
        .having(func.count(func.distinct(Annotation.label_studio_annotation_id)) > 1)
    )
    tasks = session.exec(
        select(Task)
        .where(Task.project_id == project_id, Task.purpose != "gold", first.in_(several))
        .order_by(col(Task.id))
    ).all()
    revisions: list[Annotation] = []
    ids = [task.id for task in tasks if task.id is not None]
    for start in range(0, len(ids), CHUNK):
        place = (
            func.row_number()
            .over(partition_by=col(Annotation.label_studio_annotation_id), order_by=latest_first())
            .label("place")
        )
        ranked = (
            select(Annotation.id, place)
            .where(
                Annotation.project_id == project_id,
                col(Annotation.task_id).in_(ids[start : start + CHUNK]),
            )
            .subquery()
        )
        revisions += session.exec(
            select(Annotation)
            .options(
                load_only(
                    *(
                        getattr(Annotation, name)
                        for name in (
                            "task_id",
                            "annotator_id",
                            "label_studio_annotation_id",
                            "was_cancelled",
                            "grade",
                            "issues",
                            "faulty_fields",
                            "revised_at",
                        )
                    )
                )
            )
            .join(ranked, ranked.c.id == col(Annotation.id))
            .where(ranked.c.place == 1, col(Annotation.is_deleted).is_(False))
        ).all()
    return tasks, revisions


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
