"""Every query behind the status report."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case
from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select

from backend.loop.answer_repository import answers, first_id
from backend.loop.repository import IMPORTED_KEY
from backend.loop.revision_repository import is_standing
from backend.models import (
    Annotation,
    Annotator,
    Batch,
    Dataset,
    ModelVersion,
    Prediction,
    Project,
    Record,
    SyncCursor,
    Task,
    WebhookEvent,
)


def ping(session: Session) -> None:
    """Return if the store answers."""
    session.exec(select(1)).one()


def projects(session: Session) -> Sequence[tuple[Project, str]]:
    """Every project with the name of its dataset, oldest first."""
    return session.exec(
        select(Project, Dataset.name)
        .join(Dataset, col(Dataset.id) == col(Project.dataset_id))
        .order_by(col(Project.id))
    ).all()


def project(session: Session, project_id: int) -> tuple[Project, str] | None:
    """One project with the name of its dataset."""
    return session.exec(
        select(Project, Dataset.name)
        .join(Dataset, col(Dataset.id) == col(Project.dataset_id))
        .where(Project.id == project_id)
    ).one_or_none()


def count_records(session: Session, dataset_id: int) -> int:
    """Current records of the dataset."""
    return session.exec(
        select(func.count()).where(Record.dataset_id == dataset_id, col(Record.is_current))
    ).one()


def _counts(project_id: int, *, include_deleted: bool = False) -> ColumnElement[bool]:
    """The annotation's revision is one that counts."""
    return is_standing(col(Annotation.project_id) == project_id, include_deleted=include_deleted)


def _labelled_tasks(project_id: int) -> Select[tuple[int]]:
    """First tasks of the records with an answer that counts and gives a label."""
    given = answers(project_id)
    return columns(given.c.first_id).where(~given.c.was_cancelled)


def count_labelled_current_records(session: Session, project_id: int) -> int:
    """Current records that have an answer in the project."""
    return session.exec(
        select(func.count())
        .select_from(Task)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(col(Task.id).in_(_labelled_tasks(project_id)), col(Record.is_current))
    ).one()


def task_counts(session: Session, project_id: int) -> tuple[int, int, int]:
    """Tasks created, pushed, and seen missing in Label Studio."""
    return session.exec(
        select(
            func.count(),
            func.count(col(Task.label_studio_task_id)),
            func.count(col(Task.deleted_at)),
        ).where(Task.project_id == project_id)
    ).one()


def annotation_counts(session: Session, project_id: int) -> tuple[int, int, int, int, int]:
    """Annotations that count, revisions, deleted ones, skipped ones, those of unnamed people.

    An export of another Label Studio need not say whose its answers are.
    """
    is_there = ~col(Annotation.is_deleted)
    counted = is_there & ~col(Annotation.was_cancelled)
    skipped = is_there & col(Annotation.was_cancelled)
    unnamed = counted & col(Annotation.annotator_id).is_(None)
    current, deleted, skips, nobodys = session.exec(
        select(
            func.coalesce(func.sum(case((counted, 1), else_=0)), 0),
            func.coalesce(func.sum(case((is_there, 0), else_=1)), 0),
            func.coalesce(func.sum(case((skipped, 1), else_=0)), 0),
            func.coalesce(func.sum(case((unnamed, 1), else_=0)), 0),
        ).where(_counts(project_id, include_deleted=True))
    ).one()
    revisions = session.exec(select(func.count()).where(Annotation.project_id == project_id)).one()
    return current, revisions, deleted, skips, nobodys


def annotator_counts(
    session: Session, project_id: int
) -> Sequence[tuple[Annotator, int, datetime | None]]:
    """Each annotator with the answers that count and the time of the last, busiest first."""
    count = func.count().label("annotations")
    return session.exec(
        select(Annotator, count, func.max(Annotation.annotated_at))
        .join(Annotation, col(Annotation.annotator_id) == col(Annotator.id))
        .where(_counts(project_id), ~col(Annotation.was_cancelled))
        .group_by(*Annotator.__table__.columns)  # type: ignore[attr-defined]
        .order_by(count.desc(), col(Annotator.id))
    ).all()


def last_of_unnamed(session: Session, project_id: int) -> datetime | None:
    """When somebody who is not named last gave an answer that counts."""
    last: datetime | None = session.exec(
        select(func.max(Annotation.annotated_at)).where(
            _counts(project_id),
            col(Annotation.annotator_id).is_(None),
            ~col(Annotation.was_cancelled),
        )
    ).one()
    return last


def batches(session: Session, project_id: int) -> Sequence[Batch]:
    """The project's batches by round; those of no round come first."""
    return session.exec(
        select(Batch)
        .where(Batch.project_id == project_id)
        .order_by(col(Batch.round), col(Batch.id))
    ).all()


def batch_progress(session: Session, project_id: int) -> dict[int, tuple[int, int]]:
    """Batch id to (tasks, those whose record has an answer), without copies and deleted ones.

    Imported tasks count where they are copies too: they are all that their batch holds.
    """
    is_labelled = first_id().in_(_labelled_tasks(project_id))
    rows = session.exec(
        select(Task.batch_id, func.count(), func.sum(case((is_labelled, 1), else_=0)))
        .where(
            Task.project_id == project_id,
            (col(Task.purpose) == "label")
            | col(Task.key).startswith(IMPORTED_KEY, autoescape=True),
            col(Task.deleted_at).is_(None),
        )
        .group_by(col(Task.batch_id))
    ).all()
    return {batch_id: (tasks, answers) for batch_id, tasks, answers in rows}


def next_tasks(session: Session, project_id: int, limit: int) -> Sequence[tuple[Task, Record]]:
    """Tasks without an answer of their own in the order in which people get them."""
    answered = columns(col(Annotation.task_id)).where(
        _counts(project_id), ~col(Annotation.was_cancelled)
    )
    return session.exec(
        select(Task, Record)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(
            Task.project_id == project_id,
            col(Task.deleted_at).is_(None),
            col(Task.label_studio_task_id).is_not(None) | col(Record.is_current),
            col(Task.id).not_in(answered),
        )
        .order_by(col(Task.batch_id), col(Task.position))
        .limit(limit)
    ).all()


def sync_cursor(session: Session, project_id: int) -> SyncCursor | None:
    """How far the project's sync has read."""
    return session.get(SyncCursor, project_id)


def count_unprocessed_events(session: Session, project_id: int) -> int:
    """Webhook events received and not yet applied."""
    return session.exec(
        select(func.count()).where(
            WebhookEvent.project_id == project_id, WebhookEvent.status == "received"
        )
    ).one()


def latest_suggestions(
    session: Session, project_id: int, limit: int
) -> Sequence[tuple[Task, Record, Prediction, int]]:
    """The newest tasks that came with a suggestion, with the number of its model version.

    Audit tasks are left out: their suggestion is not for people to see.
    """
    return session.exec(
        select(Task, Record, Prediction, ModelVersion.number)
        .join(Record, col(Record.id) == col(Task.record_id))
        .join(Prediction, col(Prediction.task_id) == col(Task.id))
        .join(ModelVersion, col(ModelVersion.id) == col(Prediction.model_version_id))
        .where(Task.project_id == project_id, col(Task.is_audit).is_(False))
        .order_by(col(Task.batch_id).desc(), col(Task.position), col(Prediction.id).desc())
        .limit(limit)
    ).all()
