"""Every query on audit samples and reports of model versions."""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, select

from backend.models import AuditSample, ReviewCase, VersionReport


def add_sample(session: Session, sample: AuditSample) -> None:
    """The sample is stored and has its id."""
    session.add(sample)
    session.flush()


def newest_sample(session: Session, project_id: int) -> AuditSample | None:
    """The audit sample that the gate used last."""
    return session.exec(
        select(AuditSample)
        .where(AuditSample.project_id == project_id)
        .order_by(col(AuditSample.id).desc())
        .limit(1)
    ).first()


def sample(session: Session, sample_id: int) -> AuditSample | None:
    """The audit sample with that id."""
    return session.get(AuditSample, sample_id)


def reports(session: Session, project_id: int) -> Sequence[VersionReport]:
    """Every report of the project; all are on one sample."""
    return session.exec(select(VersionReport).where(VersionReport.project_id == project_id)).all()


def replace_reports(session: Session, project_id: int, rows: Sequence[VersionReport]) -> None:
    """These are the project's reports; samples older than theirs are gone."""
    session.execute(delete(VersionReport).where(col(VersionReport.project_id) == project_id))
    session.add_all(rows)
    session.flush()
    kept = min(row.sample_id for row in rows)
    session.execute(
        delete(AuditSample).where(
            col(AuditSample.project_id) == project_id, col(AuditSample.id) < kept
        )
    )


def case_ids(session: Session, task_ids: Sequence[int]) -> dict[int, int]:
    """Task id to its review case, for tasks that have one."""
    rows = session.exec(
        select(ReviewCase.task_id, ReviewCase.id).where(col(ReviewCase.task_id).in_(task_ids))
    )
    return dict(rows.all())
