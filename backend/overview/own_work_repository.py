"""Every query on one person's own work; nobody else's answers are read."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from backend.loop.revision_repository import is_standing
from backend.models import Annotation, Annotator, Project, Record, Task

OwnAnswer = tuple[int, int, bool, float | None, datetime]


def annotators_with_email(session: Session, email: str) -> list[int]:
    """Ids of the annotators with that address, however it is written in Label Studio."""
    rows = session.exec(
        select(Annotator.id).where(func.lower(func.trim(Annotator.email)) == email.lower())
    )
    return list(rows)


def own_answers(session: Session, annotator_ids: Sequence[int]) -> Sequence[OwnAnswer]:
    """(project, task, was it skipped, seconds, answered at) of each annotation that counts now."""
    touched = select_columns(col(Annotation.task_id)).where(
        col(Annotation.annotator_id).in_(annotator_ids)
    )
    rows = session.execute(
        select_columns(
            col(Annotation.project_id),
            col(Annotation.task_id),
            col(Annotation.was_cancelled),
            col(Annotation.lead_time),
            col(Annotation.annotated_at),
        ).where(
            is_standing(col(Annotation.task_id).in_(touched)),
            col(Annotation.annotator_id).in_(annotator_ids),
        )
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
