"""The page of jobs, and its buttons."""

from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, require
from backend.overview.job_overview import JobOverview
from backend.overview.schemas import JobFilter, JobPublic, JobStatus
from backend.web.job_names import JOB_NAMES
from backend.web.rendering import render
from backend.words import N_

router = APIRouter(include_in_schema=False)

JOBS_SHOWN = 100
"""Chosen: what a person looks through; the filter finds the others."""
NOTICES = {
    "cancelling": N_("The job was asked to stop."),
    "retried": N_("The job is queued anew."),
}
Back = Literal["", "project"]


def job_filter(
    status: Annotated[JobStatus | Literal[""], Query(description="only these")] = "",
    name: Annotated[str, Query(max_length=100, description="kind of job")] = "",
    project_id: Annotated[int | Literal[""], Query(description="of this project")] = "",
    text: Annotated[str, Query(max_length=200, description="part of what is said")] = "",
) -> JobFilter:
    """The filter of the address; a form sends what is not chosen as empty."""
    return JobFilter(
        statuses=(status,) if status else (),
        name=name or None,
        project_id=project_id or None,
        text=text.strip() or None,
    )


@router.get("/jobs", dependencies=[Depends(require("viewer"))])
def jobs_page(
    request: Request,
    session: SessionDep,
    services: ServicesDep,
    wanted: Annotated[JobFilter, Depends(job_filter)],
) -> Response:
    """Jobs with their progress, and the workers."""
    overview = JobOverview(session, services.clock)
    context = {
        "jobs": overview.jobs(wanted, limit=JOBS_SHOWN),
        "limit": JOBS_SHOWN,
        "job_counts": overview.counts(),
        "workers": overview.workers(),
        "projects": overview.project_names(),
        "wanted": wanted,
        "statuses": get_args(JobStatus),
        "kinds": JOB_NAMES,
        "notice": NOTICES.get(request.query_params.get("notice", "")),
    }
    return render(request, "overview/jobs.html", context, fragment="live")


@router.post("/jobs/{job_id}/cancel")
def cancel(
    job_id: str,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
    back: Annotated[Back, Form()] = "",
) -> Response:
    """Ask a job to stop."""
    job = JobOverview(session, services.clock).cancel(job_id, actor=principal.name)
    return _back(job, back, "cancelling")


@router.post("/jobs/{job_id}/retry")
def retry(
    job_id: str,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
    back: Annotated[Back, Form()] = "",
) -> Response:
    """Queue a failed or cancelled job anew."""
    job = JobOverview(session, services.clock).retry(job_id, actor=principal.name)
    return _back(job, back, "retried")


def _back(job: JobPublic, back: Back, notice: str) -> Response:
    is_project = back == "project" and job.project_id is not None
    place = f"/projects/{job.project_id}" if is_project else "/jobs"
    return RedirectResponse(f"{place}?{urlencode({'notice': notice})}", 303)
