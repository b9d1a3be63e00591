"""The queries that check the store against its own promises."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.loop.repository import is_due
from backend.models import (
    Annotation,
    Batch,
    Job,
    ModelVersion,
    Prediction,
    Promotion,
    Record,
    Task,
    WebhookEvent,
)


def tasks(session: Session, project_id: int) -> Sequence[Task]:
    """Every task of the project, by id."""
    return session.exec(
        select(Task).where(Task.project_id == project_id).order_by(col(Task.id))
    ).all()


def revision_counts(session: Session, project_id: int) -> list[tuple[int, int, int, int]]:
    """(annotation id, revisions, smallest, largest revision number)."""
    rows = session.exec(
        select(
            Annotation.label_studio_annotation_id,
            func.count(),
            func.min(Annotation.revision),
            func.max(Annotation.revision),
        )
        .where(Annotation.project_id == project_id)
        .group_by(col(Annotation.label_studio_annotation_id))
    )
    return [(annotation_id, count, low, high) for annotation_id, count, low, high in rows]


def unpushed_tasks_of_pushed_batches(session: Session, project_id: int) -> Sequence[Task]:
    """Tasks whose batch counts as pushed although Label Studio's id is missing.

    What is not meant to be there is left out, see ``is_due``.
    """
    return session.exec(
        select(Task)
        .join(Batch, col(Batch.id) == col(Task.batch_id))
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(
            Task.project_id == project_id,
            col(Batch.pushed_at).is_not(None),
            *is_due(),
        )
    ).all()


def model_versions(session: Session, project_id: int) -> Sequence[ModelVersion]:
    """The project's model versions, oldest first."""
    return session.exec(
        select(ModelVersion)
        .where(ModelVersion.project_id == project_id)
        .order_by(col(ModelVersion.number))
    ).all()


def promotions(session: Session, project_id: int) -> Sequence[Promotion]:
    """Every decision about the champion, oldest first."""
    return session.exec(
        select(Promotion).where(Promotion.project_id == project_id).order_by(col(Promotion.id))
    ).all()


def undecided_versions(session: Session, project_id: int) -> Sequence[ModelVersion]:
    """Model versions that the gate never spoke about."""
    return session.exec(
        select(ModelVersion)
        .outerjoin(Promotion, col(Promotion.challenger_id) == col(ModelVersion.id))
        .where(ModelVersion.project_id == project_id, col(Promotion.id).is_(None))
    ).all()


def predictions_by_foreign_version(session: Session, project_id: int) -> int:
    """Predictions whose model version belongs to another project."""
    return session.exec(
        select(func.count())
        .select_from(Prediction)
        .join(Task, col(Task.id) == col(Prediction.task_id))
        .join(ModelVersion, col(ModelVersion.id) == col(Prediction.model_version_id))
        .where(Task.project_id == project_id, ModelVersion.project_id != project_id)
    ).one()


def waiting_events(session: Session, project_id: int) -> int:
    """Webhook events that were received and not applied."""
    return session.exec(
        select(func.count())
        .select_from(WebhookEvent)
        .where(WebhookEvent.project_id == project_id, WebhookEvent.status == "received")
    ).one()


def failed_jobs(session: Session, project_id: int) -> list[tuple[Job, int]]:
    """(newest, how many) of the jobs of each name that failed for good since the last success."""
    failed = session.exec(
        select(Job)
        .where(Job.project_id == project_id, Job.status == "failed")
        .order_by(col(Job.enqueued_at))
    ).all()
    newest: dict[str, tuple[Job, int]] = {}
    for job in failed:
        if not _succeeded_later(session, job):
            newest[job.name] = (job, newest.get(job.name, (job, 0))[1] + 1)
    return list(newest.values())


def _succeeded_later(session: Session, failed: Job) -> bool:
    return (
        session.exec(
            select(Job.id)
            .where(
                Job.project_id == failed.project_id,
                Job.name == failed.name,
                Job.status == "done",
                col(Job.enqueued_at) > failed.enqueued_at,
            )
            .limit(1)
        ).first()
        is not None
    )
