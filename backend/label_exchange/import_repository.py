"""Every query with which imported labels find their place in the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.loop.repository import IMPORTED, NO_ROUND
from backend.models import Annotation, Annotator, Batch, Record, Task

CHUNK = 500
"""Ids or rows a statement: below the 999 parameters that SQLite allowed before 3.32 (2020)."""
FIRST_OWN_USER = -1_000_000_000
"""Chosen: people whom our Label Studio does not know are numbered from here downwards; it gives
out ids from 1 upwards."""


def versions(
    session: Session, dataset_id: int, external_ids: Sequence[str]
) -> dict[str, list[Record]]:
    """External id to every version of that record, the current one first, then the newest."""
    found: dict[str, list[Record]] = {}
    for start in range(0, len(external_ids), CHUNK):
        rows = session.exec(
            select(Record)
            .where(
                Record.dataset_id == dataset_id,
                col(Record.external_id).in_(external_ids[start : start + CHUNK]),
            )
            .order_by(col(Record.is_current).desc(), col(Record.id).desc())
        )
        for row in rows:
            found.setdefault(row.external_id, []).append(row)
    return found


def names_of_tasks(session: Session, project_id: int, task_ids: Sequence[int]) -> dict[int, str]:
    """The project's tasks among these to their records' external ids."""
    found: dict[int, str] = {}
    for start in range(0, len(task_ids), CHUNK):
        rows = session.exec(
            select(Task.id, Record.external_id)
            .join(Record, col(Record.id) == col(Task.record_id))
            .where(
                Task.project_id == project_id,
                col(Task.id).in_(task_ids[start : start + CHUNK]),
            )
        )
        found.update(rows.all())
    return found


def tasks_of_records(session: Session, project_id: int, record_ids: Sequence[int]) -> list[Task]:
    """The project's tasks for these records, by attempt."""
    found: list[Task] = []
    for start in range(0, len(record_ids), CHUNK):
        found += session.exec(
            select(Task)
            .where(
                Task.project_id == project_id,
                col(Task.record_id).in_(record_ids[start : start + CHUNK]),
            )
            .order_by(col(Task.record_id), col(Task.attempt))
        )
    return found


def tasks_by_key(session: Session, project_id: int, keys: Sequence[str]) -> dict[str, Task]:
    """Key to the project's task with that key."""
    found: dict[str, Task] = {}
    for start in range(0, len(keys), CHUNK):
        rows = session.exec(
            select(Task).where(
                Task.project_id == project_id, col(Task.key).in_(keys[start : start + CHUNK])
            )
        )
        found.update({row.key: row for row in rows})
    return found


def imported_batch(session: Session, project_id: int, now: datetime) -> Batch:
    """The batch of the project's imported tasks; there is nothing of it to push."""
    batch = session.exec(
        select(Batch).where(Batch.project_id == project_id, Batch.strategy == IMPORTED)
    ).one_or_none()
    if batch is None:
        batch = Batch(
            project_id=project_id,
            round=NO_ROUND,
            strategy=IMPORTED,
            seed=0,
            created_at=now,
            pushed_at=now,
        )
        session.add(batch)
        session.flush()
    return batch


def last_position(session: Session, batch_id: int) -> int:
    """The largest position in the batch, 0 if it is empty."""
    return session.exec(select(func.max(Task.position)).where(Task.batch_id == batch_id)).one() or 0


def add_tasks(session: Session, tasks: Sequence[Task]) -> None:
    """The tasks are stored and have their ids."""
    session.add_all(tasks)
    session.flush()


class AnnotationPlace(NamedTuple):
    """Where an annotation belongs, and when it was made."""

    task_key: str
    external_id: str
    annotated_at: datetime

    def is_that_of(self, other: "AnnotationPlace") -> bool:
        """True if both are one annotation."""
        return (self.task_key, self.annotated_at) == (other.task_key, other.annotated_at)


def places_of(
    session: Session, project_id: int, annotation_ids: Sequence[int]
) -> dict[int, AnnotationPlace]:
    """Annotation id to its place, for annotations that the project has."""
    found: dict[int, AnnotationPlace] = {}
    for start in range(0, len(annotation_ids), CHUNK):
        rows = session.exec(
            select(
                Annotation.label_studio_annotation_id,
                Task.key,
                Record.external_id,
                Annotation.annotated_at,
            )
            .join(Task, col(Task.id) == col(Annotation.task_id))
            .join(Record, col(Record.id) == col(Task.record_id))
            .where(
                Annotation.project_id == project_id,
                col(Annotation.label_studio_annotation_id).in_(
                    annotation_ids[start : start + CHUNK]
                ),
            )
        )
        found.update({number: AnnotationPlace(key, name, made) for number, key, name, made in rows})
    return found


def latest_tellings(
    session: Session, project_id: int, annotation_ids: Sequence[int]
) -> dict[tuple[int, datetime], tuple[Annotation, int | None]]:
    """(Annotation id, revised at) to its last revision of that moment and who made it there."""
    found: dict[tuple[int, datetime], tuple[Annotation, int | None]] = {}
    for start in range(0, len(annotation_ids), CHUNK):
        rows = session.exec(
            select(Annotation, Annotator.label_studio_user_id)
            .join(Annotator, col(Annotator.id) == col(Annotation.annotator_id), isouter=True)
            .where(
                Annotation.project_id == project_id,
                col(Annotation.label_studio_annotation_id).in_(
                    annotation_ids[start : start + CHUNK]
                ),
            )
            .order_by(col(Annotation.revision))
        )
        for row, user in rows:
            found[row.label_studio_annotation_id, row.revised_at] = (row, user)
    return found


def annotator_by_email(session: Session, email: str) -> Annotator | None:
    """The annotator with that address; one whom Label Studio knows before others."""
    return session.exec(
        select(Annotator)
        .where(func.lower(Annotator.email) == email.lower())
        .order_by(col(Annotator.label_studio_user_id).desc())
    ).first()


def annotator_by_user(session: Session, user_id: int) -> Annotator | None:
    """The annotator with that user id."""
    return session.exec(
        select(Annotator).where(Annotator.label_studio_user_id == user_id)
    ).one_or_none()


def add_annotator(
    session: Session, *, user_id: int | None, email: str | None, name: str | None, now: datetime
) -> Annotator:
    """A person whom our Label Studio does not know; without ``user_id`` the next free one."""
    if user_id is None:
        lowest = session.exec(select(func.min(Annotator.label_studio_user_id))).one() or 0
        user_id = min(lowest, FIRST_OWN_USER) - 1
    annotator = Annotator(label_studio_user_id=user_id, email=email, name=name, created_at=now)
    session.add(annotator)
    session.flush()
    return annotator
