"""Status and jobs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, require
from backend.core.request_body import RowNumber
from backend.overview.job_overview import JobOverview
from backend.overview.schemas import (
    JobFilter,
    JobPublic,
    JobStatus,
    ProjectStatus,
    QueuedTask,
    StatusReport,
)
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
    name: Annotated[str | None, Query(description="kind of job: `training.retrain`")] = None,
    text: Annotated[
        str | None, Query(description="part of the id, the message or the error")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[JobPublic]:
    """Jobs, open ones first, then the newest."""
    wanted = JobFilter(
        project_id=project_id, statuses=tuple(status or ()), name=name, text=text or None
    )
    return JobOverview(session, services.clock).jobs(wanted, limit=limit)


@router.get("/jobs/{job_id}", tags=["jobs"], dependencies=[_viewer])
def job(job_id: str, session: SessionDep, services: ServicesDep) -> JobPublic:
    """One job with its progress."""
    return JobOverview(session, services.clock).job(job_id)


@router.post("/jobs/{job_id}/cancel", tags=["jobs"], status_code=202)
def cancel_job(
    job_id: str, session: SessionDep, services: ServicesDep, principal: Engineer
) -> JobPublic:
    """Ask the job to stop; it does so at its next safe point."""
    return JobOverview(session, services.clock).cancel(job_id, actor=principal.name)


@router.post("/jobs/{job_id}/retry", tags=["jobs"], status_code=202)
def retry_job(
    job_id: str, session: SessionDep, services: ServicesDep, principal: Engineer
) -> JobPublic:
    """Queue a failed or cancelled job anew; the new job. Asking again changes nothing."""
    return JobOverview(session, services.clock).retry(job_id, actor=principal.name)


def _overview(session: SessionDep, services: ServicesDep) -> OverviewService:
    return OverviewService(session, services.clock, services.settings)
