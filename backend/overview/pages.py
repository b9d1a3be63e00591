"""The status pages: all projects, one project, jobs."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.audit.service import AuditTrail
from backend.core.dependencies import Engineer, Lead, ServicesDep, SessionDep, require
from backend.jobs.queue import enqueue, request_cancel
from backend.machine_labels.service import AcceptanceService
from backend.overview import explanations
from backend.overview.schemas import CurvePointPublic
from backend.overview.service import OverviewService
from backend.projects.service import ProjectsService
from backend.registry.service import RegistryService
from backend.review.queue_repository import state_counts
from backend.web.chart import LearningCurve, Measurement, learning_curve
from backend.web.rendering import is_fragment, percent, render
from backend.words import N_

router = APIRouter(include_in_schema=False)
router.include_router(explanations.router)

NOTICES = {
    "retraining": N_("Retraining is queued."),
    "rolled-back": N_("The champion was changed."),
    "withdrawn": N_("The machine labels are withdrawn."),
    "cancelling": N_("The job was asked to stop."),
}


@router.get("/", dependencies=[Depends(require("viewer"))])
def start_page(request: Request, session: SessionDep, services: ServicesDep) -> Response:
    """All projects, workers and open jobs."""
    overview = _overview(session, services)
    context = {
        "projects": overview.summaries(),
        "workers": overview.workers(),
        "job_counts": overview.job_counts(),
        "jobs": overview.jobs(statuses=("queued", "running", "waiting", "failed"), limit=10),
        "notice": _notice(request),
    }
    return render(request, "overview/start.html", context, fragment="live")


@router.get("/projects/{project_id}", dependencies=[Depends(require("viewer"))])
def project_page(
    request: Request, project_id: int, session: SessionDep, services: ServicesDep
) -> Response:
    """One project; HTMX polls its numbers and jobs."""
    overview = _overview(session, services)
    live = {
        "jobs": overview.jobs(project_id=project_id, limit=8),
        "notice": _notice(request),
        "polled": is_fragment(request),
    }
    if is_fragment(request):
        numbers = {"project": overview.summary(project_id), **live}
        return render(request, "overview/project.html", numbers, fragment="live")
    project = overview.project(project_id)
    context: dict[str, Any] = {
        "project": project,
        "curve": _picture(project.curve),
        "queue": overview.queue(project_id),
        "open_cases": state_counts(session, project_id).get("open", 0),
        **live,
    }
    return render(request, "overview/project.html", context)


@router.post("/projects/{project_id}/retrain")
def retrain(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Engineer
) -> Response:
    """Queue a retraining."""
    _overview(session, services).summary(project_id)
    job_id = enqueue(session, "training.retrain", project_id=project_id, now=services.clock())
    AuditTrail(session, services.clock).append(
        principal.name, "training.requested", f"project:{project_id}", {"job": job_id}
    )
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
) -> Response:
    """Make an earlier model version champion again."""
    RegistryService(session, services.clock).rollback(
        project_id, number, reason=reason, actor=principal.name
    )
    return _back(f"/projects/{project_id}", "rolled-back")


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


@router.get("/jobs", dependencies=[Depends(require("viewer"))])
def jobs_page(request: Request, session: SessionDep, services: ServicesDep) -> Response:
    """All jobs with their progress, and the workers."""
    overview = _overview(session, services)
    context = {
        "jobs": overview.jobs(limit=100),
        "job_counts": overview.job_counts(),
        "workers": overview.workers(),
        "notice": _notice(request),
    }
    return render(request, "overview/jobs.html", context, fragment="live")


@router.post("/jobs/{job_id}/cancel")
def cancel(
    job_id: str, session: SessionDep, services: ServicesDep, principal: Engineer
) -> Response:
    """Ask a job to stop."""
    _overview(session, services).job(job_id)
    request_cancel(session, job_id, now=services.clock())
    AuditTrail(session, services.clock).append(
        principal.name, "job.cancel_requested", f"job:{job_id}"
    )
    return _back("/jobs", "cancelling")


def _overview(session: SessionDep, services: ServicesDep) -> OverviewService:
    return OverviewService(session, services.clock, services.settings)


def _notice(request: Request) -> str | None:
    return NOTICES.get(request.query_params.get("notice", ""))


def _back(path: str, notice: str) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'notice': notice})}", 303)


def _picture(curve: list[CurvePointPublic]) -> LearningCurve | None:
    return learning_curve(
        [
            Measurement(
                labels=point.labels,
                value=point.accuracy.value,
                low=point.accuracy.low,
                high=point.accuracy.high,
                title=f"v{point.model_version}: {percent(point.accuracy.value)} "
                f"({percent(point.accuracy.low)} – {percent(point.accuracy.high)})",
                is_highlighted=point.is_champion,
            )
            for point in curve
        ]
    )
