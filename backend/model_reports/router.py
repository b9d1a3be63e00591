"""Reports of model versions, and the versions themselves, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from active_learning.portable.packing import zip_pieces
from backend.core.dependencies import Engineer, Lead, ServicesDep, SessionDep, Viewer
from backend.core.request_body import RowNumber
from backend.core.responses import file_responses, problem_responses
from backend.model_reports.package import model_package
from backend.model_reports.schemas import ModelReport, QueuedVersionMeasuring
from backend.model_reports.service import ModelReports
from backend.projects.service import ProjectsService
from backend.registry.service import RegistryService

router = APIRouter(prefix="/api/v1/projects/{project_id}/models", tags=["models"])

ZIP = "application/zip"
Against = Annotated[
    RowNumber | None,
    Query(
        ge=1,
        description="number of the version beside which it is shown; empty: the champion, for the "
        "champion the one that it took over from",
    ),
]


@router.get("/{number}/report")
def report(
    *,
    project_id: int,
    number: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    against: Against = None,
) -> ModelReport:
    """Tell how good the version is, and beside another one, on the audit sample of all."""
    project = ProjectsService(session, services.clock).get(project_id)
    return ModelReports(session, services.clock).report(project, number, against)


@router.get(
    "/{number}/download",
    response_class=StreamingResponse,
    responses={**file_responses([ZIP]), **problem_responses(409)},
)
def download(
    project_id: int, number: int, session: SessionDep, services: ServicesDep, _principal: Lead
) -> StreamingResponse:
    """Download the version as a zip that is scored with anywhere, with its model card."""
    project = ProjectsService(session, services.clock).get(project_id)
    version = RegistryService(session, services.clock).get(project_id, number)
    told = ModelReports(session, services.clock).report(project, number)
    package = model_package(services, project, version, told)
    return StreamingResponse(
        zip_pieces(package.name, package.config, package.files),
        media_type=ZIP,
        headers={"Content-Disposition": f'attachment; filename="{package.name}.zip"'},
    )


@router.post("/measure", status_code=202)
def measure(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Engineer
) -> QueuedVersionMeasuring:
    """Measure all versions on one audit sample, where a gate decision has not done it."""
    project = ProjectsService(session, services.clock).get(project_id)
    reports = ModelReports(session, services.clock)
    return QueuedVersionMeasuring(job_id=reports.request(project, actor=principal.name))
