"""Every query on one person's own work; nobody else's answers are read."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from backend.loop.revision_repository import latest_first
from backend.models import Annotation, Annotator, Project, Record, Task

OwnAnswer = tuple[int, int, bool, float | None, datetime]


def annotators_with_email(session: Session, email: str) -> list[int]:
    """Ids of the annotators with that address, however it is written in Label Studio."""
    rows = session.exec(
        select(Annotator.id).where(func.lower(func.trim(Annotator.email)) == email.lower())
    )
    return [row for row in rows if row is not None]


def own_answers(session: Session, annotator_ids: Sequence[int]) -> Sequence[OwnAnswer]:
    """(project, task, was it skipped, seconds, answered at) of each annotation that counts now."""
    place = (
        func.row_number()
        .over(
            partition_by=(col(Annotation.project_id), col(Annotation.label_studio_annotation_id)),
            order_by=latest_first(),
        )
        .label("place")
    )
    ranked = (
        select(Annotation.id, place)
        .where(col(Annotation.annotator_id).in_(annotator_ids))
        .subquery()
    )
    rows = session.execute(
        select_columns(
            col(Annotation.project_id),
            col(Annotation.task_id),
            col(Annotation.was_cancelled),
            col(Annotation.lead_time),
            col(Annotation.annotated_at),
        )
        .join(ranked, ranked.c.id == col(Annotation.id))
        .where(ranked.c.place == 1, col(Annotation.is_deleted).is_(False))
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def tasks_sent_to(
    session: Session, annotator_ids: Sequence[int]
) -> Sequence[tuple[Task, str, Project]]:
    """Tasks that ask one of these annotators alone, with the record's name, oldest first."""
    return session.exec(
        select(Task, Record.external_id, Project)
        .join(Record, col(Record.id) == col(Task.record_id))
        .join(Project, col(Project.id) == col(Task.project_id))
        .where(
            Task.purpose == "relabel",
            col(Task.assignee_id).in_(annotator_ids),
            col(Task.deleted_at).is_(None),
        )
        .order_by(col(Task.id))
    ).all()
