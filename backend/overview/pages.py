"""The status pages: all projects, and one project."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Engineer, Lead, ServicesDep, SessionDep, require
from backend.machine_labels.service import AcceptanceService
from backend.overview import explanations, job_pages, model_pages
from backend.overview.curve_picture import curve_picture
from backend.overview.job_overview import JobOverview
from backend.overview.schemas import JobFilter, JobPublic
from backend.overview.service import STILL_TO_SEE, OverviewService
from backend.projects.service import ProjectsService
from backend.registry.service import RegistryService
from backend.review.queue_repository import state_counts
from backend.training.service import TrainingService
from backend.web.rendering import is_fragment, render
from backend.words import N_

router = APIRouter(include_in_schema=False)
router.include_router(explanations.router)
router.include_router(job_pages.router)
router.include_router(model_pages.router)

PROJECT_JOBS = 8
"""Chosen: the latest, below all else; the page of jobs has the others."""
NOTICES = {
    "retraining": N_("Retraining is queued."),
    "batch": N_("The batch is being chosen."),
    "rolled-back": N_("The champion was changed."),
    "withdrawn": N_("The machine labels are withdrawn."),
    "deleted": N_("The project is deleted."),
    **job_pages.NOTICES,
}


@router.get("/", dependencies=[Depends(require("viewer"))])
def start_page(request: Request, session: SessionDep, services: ServicesDep) -> Response:
    """All projects, workers and open jobs."""
    overview = _overview(session, services)
    jobs = JobOverview(session, services.clock)
    context = {
        "projects": overview.summaries(),
        "workers": jobs.workers(),
        "jobs": jobs.jobs(STILL_TO_SEE, limit=10),
        "notice": _notice(request),
    }
    return render(request, "overview/start.html", context, fragment="live")


@router.get("/projects/{project_id}", dependencies=[Depends(require("viewer"))])
def project_page(
    request: Request, project_id: int, session: SessionDep, services: ServicesDep
) -> Response:
    """One project; HTMX polls its numbers."""
    overview = _overview(session, services)
    if is_fragment(request):
        numbers = {"project": overview.summary(project_id)}
        return render(request, "overview/project.html", numbers, fragment="live")
    project = overview.project(project_id)
    context: dict[str, Any] = {
        "project": project,
        "curve": curve_picture(project.curve),
        "queue": overview.queue(project_id),
        "open_cases": state_counts(session, project_id).get("open", 0),
        "loop_status": project.loop,
        "jobs": _latest_jobs(session, services, project_id),
        "project_id": project_id,
        "notice": _notice(request),
    }
    return render(request, "overview/project.html", context)


@router.get("/projects/{project_id}/jobs", dependencies=[Depends(require("viewer"))])
def project_jobs(
    request: Request, project_id: int, session: SessionDep, services: ServicesDep
) -> Response:
    """The project's latest jobs, a part of its page; for people the page of jobs."""
    if not is_fragment(request):
        return RedirectResponse(f"/jobs?project_id={project_id}", 303)
    jobs = _latest_jobs(session, services, project_id)
    return render(request, "overview/project_jobs.html", {"project_id": project_id, "jobs": jobs})


@router.get("/projects/{project_id}/loop", dependencies=[Depends(require("viewer"))])
def project_loop(
    request: Request, project_id: int, session: SessionDep, services: ServicesDep
) -> Response:
    """What the loop does or waits for, a part of the project's page."""
    if not is_fragment(request):
        return RedirectResponse(f"/projects/{project_id}", 303)
    status = _overview(session, services).loop(project_id)
    return render(request, "overview/loop.html", {"project_id": project_id, "loop_status": status})


@router.post("/projects/{project_id}/next-batch")
def next_batch(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Engineer
) -> Response:
    """Choose the next batch; the first one starts the loop."""
    project = ProjectsService(session, services.clock).get(project_id)
    TrainingService(session, services.clock).request_batch(project, actor=principal.name)
    return _back(f"/projects/{project_id}", "batch")


@router.post("/projects/{project_id}/retrain")
def retrain(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Engineer
) -> Response:
    """Queue a retraining."""
    project = ProjectsService(session, services.clock).get(project_id)
    TrainingService(session, services.clock).request_retraining(project, actor=principal.name)
    return _back(f"/projects/{project_id}", "retraining")


@router.post("/projects/{project_id}/rollback")
def roll_back(
    *,
    project_id: int,
    number: Annotated[int, Form(ge=1)],
    reason: Annotated[str, Form(min_length=3, max_length=500)],
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
    back: Annotated[Literal["", "model"], Form()] = "",
) -> Response:
    """Make an earlier model version champion again."""
    RegistryService(session, services.clock).rollback(
        project_id, number, reason=reason, actor=principal.name
    )
    place = f"/models/{number}" if back == "model" else ""
    return _back(f"/projects/{project_id}{place}", "rolled-back")


@router.post("/projects/{project_id}/machine-labels/withdraw")
def withdraw_machine_labels(
    *,
    project_id: int,
    reason: Annotated[str, Form(min_length=3, max_length=500)],
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> Response:
    """Take the champion's own labels back."""
    project = ProjectsService(session, services.clock).get(project_id)
    AcceptanceService(session, services.clock).withdraw(
        project, reason=reason, actor=principal.name
    )
    return _back(f"/projects/{project_id}", "withdrawn")


def _overview(session: SessionDep, services: ServicesDep) -> OverviewService:
    return OverviewService(session, services.clock, services.settings)


def _latest_jobs(session: SessionDep, services: ServicesDep, project_id: int) -> list[JobPublic]:
    wanted = JobFilter(project_id=project_id)
    return JobOverview(session, services.clock).jobs(wanted, limit=PROJECT_JOBS)


def _notice(request: Request) -> str | None:
    return NOTICES.get(request.query_params.get("notice", ""))


def _back(path: str, notice: str) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'notice': notice})}", 303)
