"""Every query that counts or deletes what belongs to a project or a dataset."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, delete, func
from sqlalchemy import select as columns
from sqlmodel import Session, SQLModel, col, select

from backend.jobs.repository import UNFINISHED
from backend.models import (
    Acceptance,
    Annotation,
    AuditSample,
    Batch,
    CaseReason,
    ConsensusLabel,
    ConsensusState,
    Dataset,
    Decision,
    Guideline,
    Import,
    ImportReject,
    Job,
    LabelFinding,
    MachineLabel,
    ModelVersion,
    Notice,
    NoticeAddress,
    NoticeAttempt,
    Prediction,
    Project,
    Promotion,
    Record,
    RecordIndexState,
    ReviewCase,
    Schedule,
    SyncCursor,
    Task,
    VersionReport,
    WebhookEvent,
    WorkReport,
)

RECORDS_A_READ = 5_000
"""Chosen: bounds memory while records are looked through."""


def lock_project(session: Session, project_id: int) -> Project | None:
    """The project; who adds something to it waits until the transaction ends."""
    return session.exec(
        select(Project)
        .where(Project.id == project_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def count_of(session: Session, table: type[SQLModel], project_id: int) -> int:
    """How many rows of ``table`` belong to the project."""
    condition = _of_project(project_id)[table]
    return session.exec(select(func.count()).select_from(table).where(condition)).one()


def answered_records(session: Session, project_id: int) -> int:
    """How many records of the project somebody answered about."""
    return session.exec(
        select(func.count(func.distinct(Task.record_id)))
        .join(Annotation, col(Annotation.task_id) == col(Task.id))
        .where(Task.project_id == project_id)
    ).one()


def open_jobs(session: Session, project_id: int) -> int:
    """How many jobs of the project have not ended."""
    return session.exec(
        select(func.count())
        .select_from(Job)
        .where(Job.project_id == project_id, col(Job.status).in_(UNFINISHED))
    ).one()


def task_keys(session: Session, project_id: int, limit: int) -> list[str]:
    """Keys of some tasks that were pushed."""
    return list(
        session.exec(
            select(Task.key)
            .where(Task.project_id == project_id, col(Task.label_studio_task_id).is_not(None))
            .order_by(col(Task.id).desc())
            .limit(limit)
        )
    )


def delete_project(session: Session, project_id: int) -> None:
    """No row of the project is left, its jobs among them: what runs can commit no more."""
    for table, condition in _of_project(project_id).items():
        session.execute(delete(table).where(condition).execution_options(synchronize_session=False))
    session.execute(delete(Project).where(col(Project.id) == project_id))
    session.expire_all()


def _of_project(project_id: int) -> dict[type[SQLModel], ColumnElement[bool]]:
    """Table to the condition of the project's rows; a table stands before those it refers to."""

    def ids(table: Any) -> Any:
        return columns(table.id).where(table.project_id == project_id)

    def own(table: Any) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = col(table.project_id) == project_id
        return condition

    return {
        NoticeAttempt: col(NoticeAttempt.notice_id).in_(ids(Notice)),
        Notice: own(Notice),
        NoticeAddress: own(NoticeAddress),
        LabelFinding: own(LabelFinding),
        MachineLabel: col(MachineLabel.acceptance_id).in_(ids(Acceptance)),
        Acceptance: own(Acceptance),
        CaseReason: own(CaseReason),
        Decision: col(Decision.case_id).in_(ids(ReviewCase)),
        ReviewCase: own(ReviewCase),
        ConsensusLabel: own(ConsensusLabel),
        ConsensusState: own(ConsensusState),
        Prediction: col(Prediction.task_id).in_(ids(Task)),
        Annotation: own(Annotation),
        WebhookEvent: own(WebhookEvent),
        WorkReport: own(WorkReport),
        Guideline: own(Guideline),
        Task: own(Task),
        Batch: own(Batch),
        VersionReport: own(VersionReport),
        AuditSample: own(AuditSample),
        Promotion: own(Promotion),
        ModelVersion: own(ModelVersion),
        Schedule: own(Schedule),
        Job: own(Job),
        SyncCursor: own(SyncCursor),
    }


def projects_of(session: Session, dataset_id: int) -> list[Project]:
    """The projects that label the dataset, oldest first."""
    return list(
        session.exec(
            select(Project).where(Project.dataset_id == dataset_id).order_by(col(Project.id))
        )
    )


def count_versions(session: Session, dataset_id: int) -> int:
    """How many versions of records the dataset has."""
    return session.exec(select(func.count()).where(Record.dataset_id == dataset_id)).one()


def count_imports(session: Session, dataset_id: int) -> int:
    """How many imports went into the dataset."""
    return session.exec(select(func.count()).where(Import.dataset_id == dataset_id)).one()


def open_jobs_called(session: Session, name: str) -> list[Job]:
    """Jobs of that name that have not ended, oldest first."""
    return list(
        session.exec(
            select(Job)
            .where(Job.name == name, col(Job.status).in_(UNFINISHED))
            .order_by(col(Job.enqueued_at), col(Job.id))
        )
    )


def delete_dataset(session: Session, dataset_id: int) -> None:
    """No row of the dataset is left; no project may label it."""
    imports = columns(col(Import.id)).where(col(Import.dataset_id) == dataset_id)
    for statement in (
        delete(RecordIndexState).where(col(RecordIndexState.dataset_id) == dataset_id),
        delete(Record).where(col(Record.dataset_id) == dataset_id),
        delete(ImportReject).where(col(ImportReject.import_id).in_(imports)),
        delete(Import).where(col(Import.dataset_id) == dataset_id),
        delete(Dataset).where(col(Dataset.id) == dataset_id),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()


def current_fields(session: Session, dataset_id: int) -> Iterator[dict[str, Any]]:
    """The fields of every current record."""
    after = 0
    while True:
        rows = session.exec(
            select(Record.id, Record.fields)
            .where(Record.dataset_id == dataset_id, col(Record.is_current), col(Record.id) > after)
            .order_by(col(Record.id))
            .limit(RECORDS_A_READ)
        ).all()
        if not rows:
            return
        yield from (dict(fields) for _, fields in rows)
        after = rows[-1][0]
