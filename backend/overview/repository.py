"""Every query behind the status report."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, Subquery, case, exists
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from backend.loop.repository import IMPORTED_KEY
from backend.models import (
    Annotation,
    Annotator,
    Batch,
    Dataset,
    Job,
    ModelVersion,
    Prediction,
    Project,
    Record,
    SyncCursor,
    Task,
    WebhookEvent,
    Worker,
)

OPEN_JOBS = ("queued", "running", "waiting")


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


def _latest(project_id: int) -> Subquery:
    """The newest revision of each of the project's annotations.

    "None is newer" rather than "equals the maximum": the unique index on (project, annotation,
    revision) answers it row by row, where joining two grouped subqueries is quadratic on SQLite.
    """
    newer = aliased(Annotation)
    return (
        columns(
            col(Annotation.task_id),
            col(Annotation.annotator_id),
            col(Annotation.is_deleted),
            col(Annotation.was_cancelled),
            col(Annotation.annotated_at),
        )
        .where(
            col(Annotation.project_id) == project_id,
            ~exists().where(
                col(newer.project_id) == col(Annotation.project_id),
                col(newer.label_studio_annotation_id) == col(Annotation.label_studio_annotation_id),
                col(newer.revision) > col(Annotation.revision),
            ),
        )
        .subquery()
    )


def _labelled_tasks(project_id: int) -> Select[tuple[int]]:
    """Ids of the tasks with an answer that counts."""
    latest = _latest(project_id)
    return select(latest.c.task_id).where(~latest.c.is_deleted, ~latest.c.was_cancelled).distinct()


def count_labelled_current_records(session: Session, project_id: int) -> int:
    """Current records that have an answer in the project."""
    return session.exec(
        select(func.count(func.distinct(col(Record.id))))  # a record may have copies of its task
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
    latest = _latest(project_id)
    counted = ~latest.c.is_deleted & ~latest.c.was_cancelled
    skipped = ~latest.c.is_deleted & latest.c.was_cancelled
    unnamed = counted & latest.c.annotator_id.is_(None)
    current, deleted, skips, nobodys = session.exec(
        select(
            func.coalesce(func.sum(case((counted, 1), else_=0)), 0),
            func.coalesce(func.sum(case((latest.c.is_deleted, 1), else_=0)), 0),
            func.coalesce(func.sum(case((skipped, 1), else_=0)), 0),
            func.coalesce(func.sum(case((unnamed, 1), else_=0)), 0),
        ).select_from(latest)
    ).one()
    revisions = session.exec(select(func.count()).where(Annotation.project_id == project_id)).one()
    return current, revisions, deleted, skips, nobodys


def annotator_counts(
    session: Session, project_id: int
) -> Sequence[tuple[Annotator, int, datetime | None]]:
    """Each annotator with the answers that count and the time of the last, busiest first."""
    latest = _latest(project_id)
    count = func.count().label("annotations")
    return session.exec(
        select(Annotator, count, func.max(latest.c.annotated_at))
        .join(latest, latest.c.annotator_id == col(Annotator.id))
        .where(~latest.c.is_deleted, ~latest.c.was_cancelled)
        .group_by(*Annotator.__table__.columns)  # type: ignore[attr-defined]
        .order_by(count.desc(), col(Annotator.id))
    ).all()


def last_of_unnamed(session: Session, project_id: int) -> datetime | None:
    """When somebody who is not named last gave an answer that counts."""
    latest = _latest(project_id)
    last: datetime | None = session.exec(
        select(func.max(latest.c.annotated_at)).where(
            latest.c.annotator_id.is_(None), ~latest.c.is_deleted, ~latest.c.was_cancelled
        )
    ).one()
    return last


def batches(session: Session, project_id: int) -> Sequence[Batch]:
    """The project's batches by round."""
    return session.exec(
        select(Batch).where(Batch.project_id == project_id).order_by(col(Batch.round))
    ).all()


def batch_progress(session: Session, project_id: int) -> dict[int, tuple[int, int]]:
    """Batch id to (tasks, tasks with an answer), without copies and what Label Studio deleted.

    Imported tasks count where they are copies too: they are all that their batch holds.
    """
    is_labelled = col(Task.id).in_(_labelled_tasks(project_id))
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
    """Tasks without an answer in the order in which people get them."""
    return session.exec(
        select(Task, Record)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(
            Task.project_id == project_id,
            col(Task.deleted_at).is_(None),
            col(Task.id).not_in(_labelled_tasks(project_id)),
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


def workers(session: Session) -> Sequence[Worker]:
    """Every worker known, the most lately started first."""
    return session.exec(select(Worker).order_by(col(Worker.started_at).desc())).all()


def job_counts(session: Session) -> dict[str, int]:
    """Status to number of jobs."""
    return dict(session.exec(select(Job.status, func.count()).group_by(Job.status)).all())


def jobs(
    session: Session,
    *,
    project_id: int | None = None,
    statuses: Sequence[str] | None = None,
    limit: int,
) -> Sequence[Job]:
    """Jobs, open ones first, then the newest."""
    is_open = case((col(Job.status).in_(OPEN_JOBS), 0), else_=1)
    query = select(Job).order_by(is_open, col(Job.enqueued_at).desc(), col(Job.id)).limit(limit)
    if project_id is not None:
        query = query.where(Job.project_id == project_id)
    if statuses is not None:
        query = query.where(col(Job.status).in_(statuses))
    return session.exec(query).all()


def job(session: Session, job_id: str) -> Job | None:
    """The job with this id."""
    return session.get(Job, job_id)


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
