"""The pages of model versions: all of them on one sample, and one in full."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, require
from backend.core.language import language_of
from backend.core.request_body import RowNumber
from backend.model_reports.service import MEASURE, ModelReports
from backend.overview.curve_picture import curve_picture
from backend.overview.job_overview import JobOverview
from backend.overview.reliability_picture import reliability_picture
from backend.overview.schemas import JobFilter
from backend.overview.service import OverviewService
from backend.projects.service import ProjectsService, label_schema_of
from backend.projects.titles import with_titles
from backend.registry.service import RegistryService
from backend.web.rendering import render
from backend.words import N_

router = APIRouter(include_in_schema=False)

SHOWN_CHANGES = 50
"""Chosen: what a person looks through; the API has them all."""
NOTICES = {
    "measuring": N_("The model versions are being measured."),
    "measured": N_("All model versions are measured already."),
    "rolled-back": N_("The champion was changed."),
}


@router.get("/projects/{project_id}/models", dependencies=[Depends(require("viewer"))])
def models_page(
    request: Request, project_id: int, session: SessionDep, services: ServicesDep
) -> Response:
    """Every model version on one sample, and the decisions about them."""
    project = OverviewService(session, services.clock, services.settings).project(project_id)
    context = {
        "project": project,
        "curve": curve_picture(project.curve),
        "is_measuring": _is_measuring(session, services, project_id),
        "notice": NOTICES.get(request.query_params.get("notice", "")),
    }
    return render(request, "overview/models.html", context)


@router.get(
    "/projects/{project_id}/models/{number:number}", dependencies=[Depends(require("viewer"))]
)
def model_page(
    *,
    request: Request,
    project_id: int,
    number: int,
    session: SessionDep,
    services: ServicesDep,
    against: Annotated[RowNumber | None, Query(ge=1)] = None,
) -> Response:
    """One model version: what it takes for what, how sure it may be, where it is worst."""
    project = ProjectsService(session, services.clock).get(project_id)
    registry = RegistryService(session, services.clock)
    version, schema = registry.get(project_id, number), label_schema_of(project)
    report = ModelReports(session, services.clock).report(project, number, against)
    found = report.breakdown
    context = {
        "project": project,
        "version": version,
        "report": report,
        "titles": schema.titles(language_of(request)),
        "calibration": reliability_picture(found.calibration) if found else None,
        "decisions": [
            (row, with_titles(row.reason, schema))
            for row in registry.list_promotions(project_id)
            if version.id in (row.challenger_id, row.model_version_id)
            and (row.kind != "kept" or row.challenger_id == version.id)
        ],
        "shown_changes": SHOWN_CHANGES,
        "is_measuring": _is_measuring(session, services, project_id),
        "notice": NOTICES.get(request.query_params.get("notice", "")),
    }
    return render(request, "overview/model.html", context)


@router.post("/projects/{project_id}/models/measure")
def measure(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Engineer
) -> Response:
    """Measure all model versions on one sample."""
    project = ProjectsService(session, services.clock).get(project_id)
    job_id = ModelReports(session, services.clock).request(project, actor=principal.name)
    notice = urlencode({"notice": "measuring" if job_id else "measured"})
    return RedirectResponse(f"/projects/{project_id}/models?{notice}", 303)


def _is_measuring(session: SessionDep, services: ServicesDep, project_id: int) -> bool:
    wanted = JobFilter(
        project_id=project_id, name=MEASURE, statuses=("queued", "running", "waiting")
    )
    return bool(JobOverview(session, services.clock).jobs(wanted, limit=1))
