"""Every query behind the lists of jobs and workers."""

from collections.abc import Sequence

from sqlalchemy import case
from sqlmodel import Session, col, func, or_, select

from backend.jobs.repository import UNFINISHED
from backend.models import Job, Project, Worker
from backend.overview.schemas import JobFilter


def workers(session: Session) -> Sequence[Worker]:
    """Every worker known, the most lately started first."""
    return session.exec(select(Worker).order_by(col(Worker.started_at).desc())).all()


def job_counts(session: Session) -> dict[str, int]:
    """Status to number of jobs."""
    return dict(session.exec(select(Job.status, func.count()).group_by(Job.status)).all())


def jobs(session: Session, wanted: JobFilter, limit: int) -> Sequence[Job]:
    """Jobs that fit, open ones first, then the newest."""
    is_open = case((col(Job.status).in_(UNFINISHED), 0), else_=1)
    query = select(Job).order_by(is_open, col(Job.enqueued_at).desc(), col(Job.id)).limit(limit)
    if wanted.project_id is not None:
        query = query.where(Job.project_id == wanted.project_id)
    if wanted.statuses:
        query = query.where(col(Job.status).in_(wanted.statuses))
    if wanted.name is not None:
        query = query.where(Job.name == wanted.name)
    if wanted.text is not None:
        places = (col(Job.id), col(Job.message), func.coalesce(col(Job.error), ""))
        query = query.where(or_(*(each.icontains(wanted.text, autoescape=True) for each in places)))
    return session.exec(query).all()


def job(session: Session, job_id: str) -> Job | None:
    """The job with this id."""
    return session.get(Job, job_id)


def project_names(session: Session) -> Sequence[tuple[int, str]]:
    """(id, name) of every project, by name."""
    return session.exec(select(Project.id, Project.name).order_by(col(Project.name))).all()
