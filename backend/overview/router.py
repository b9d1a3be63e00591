"""Status and jobs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, require
from backend.core.request_body import RowNumber
from backend.jobs.queue import request_cancel
from backend.overview.schemas import JobPublic, JobStatus, ProjectStatus, QueuedTask, StatusReport
from backend.overview.service import OverviewService

router = APIRouter(prefix="/api/v1")

_viewer = Depends(require("viewer"))


@router.get("/status", tags=["status"], dependencies=[_viewer])
def status(session: SessionDep, services: ServicesDep) -> StatusReport:
    """Projects, rounds, champions, workers, jobs and sync lag at a glance."""
    return _overview(session, services).report()


@router.get(
    "/status/projects/{project_id}",
    tags=["status"],
    dependencies=[_viewer],
)
def project_status(project_id: int, session: SessionDep, services: ServicesDep) -> ProjectStatus:
    """One project in full: rounds, learning curve, model versions, annotators."""
    return _overview(session, services).project(project_id)


@router.get(
    "/status/projects/{project_id}/queue",
    tags=["status"],
    dependencies=[_viewer],
)
def project_queue(
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 10,
) -> list[QueuedTask]:
    """The next tasks in the order in which people get them, each with its reason."""
    overview = _overview(session, services)
    overview.project(project_id)
    return overview.queue(project_id, limit)


@router.get("/jobs", tags=["jobs"], dependencies=[_viewer])
def jobs(
    session: SessionDep,
    services: ServicesDep,
    project_id: RowNumber | None = None,
    status: Annotated[list[JobStatus] | None, Query(description="only these")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[JobPublic]:
    """Jobs, open ones first, then the newest."""
    statuses = tuple(status) if status else None
    return _overview(session, services).jobs(project_id=project_id, statuses=statuses, limit=limit)


@router.get("/jobs/{job_id}", tags=["jobs"], dependencies=[_viewer])
def job(job_id: str, session: SessionDep, services: ServicesDep) -> JobPublic:
    """One job with its progress."""
    return _overview(session, services).job(job_id)


@router.post("/jobs/{job_id}/cancel", tags=["jobs"], status_code=202)
def cancel_job(
    job_id: str, session: SessionDep, services: ServicesDep, _principal: Engineer
) -> JobPublic:
    """Ask the job to stop; it does so at its next safe point."""
    overview = _overview(session, services)
    overview.job(job_id)
    request_cancel(session, job_id, now=services.clock())
    return overview.job(job_id)


def _overview(session: SessionDep, services: ServicesDep) -> OverviewService:
    return OverviewService(session, services.clock, services.settings)
