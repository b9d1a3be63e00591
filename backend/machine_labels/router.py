"""Acceptances and machine labels over HTTP."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from backend.core.dependencies import Lead, ServicesDep, SessionDep, Viewer
from backend.core.request_body import LARGEST_NUMBER
from backend.core.responses import file_responses
from backend.core.services import Services
from backend.machine_labels.export import MEDIA_TYPES, MachineLabelFormat, export
from backend.machine_labels.labels import MachineLabels
from backend.machine_labels.schemas import (
    AcceptancePublic,
    MachineLabelPage,
    MachineLabelStatus,
    QueuedAcceptance,
    WithdrawRequest,
)
from backend.machine_labels.service import AcceptanceService
from backend.models import Project
from backend.projects.service import ProjectsService

router = APIRouter(
    prefix="/api/v1/projects/{project_id}",
    tags=["machine labels"],
)


@router.get("/acceptances")
def list_acceptances(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Viewer
) -> list[AcceptancePublic]:
    """List every decision about machine labels, oldest first, with reason and evidence."""
    _project(project_id, session, services)
    return list(MachineLabels(session, services.clock).decisions(project_id))


@router.post("/acceptances", status_code=202)
def accept_now(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Lead
) -> QueuedAcceptance:
    """Ask now whether the champion may label alone; nothing changes if nothing is new."""
    project = _project(project_id, session, services)
    service = AcceptanceService(session, services.clock)
    return QueuedAcceptance(job_id=service.request(project, actor=principal.name))


@router.post("/acceptances/withdraw", status_code=201)
def withdraw(
    project_id: int,
    request: WithdrawRequest,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> AcceptancePublic:
    """Take the machine labels back; their records may be chosen for people again."""
    project = _project(project_id, session, services)
    AcceptanceService(session, services.clock).withdraw(
        project, reason=request.reason, actor=principal.name
    )
    return MachineLabels(session, services.clock).decisions(project_id)[-1]


@router.get("/machine-labels")
def list_machine_labels(
    *,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    grade: Annotated[str | None, Query(description="only this grade", examples=["good"])] = None,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_NUMBER, description="the previous page's `after`")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> MachineLabelPage:
    """List the machine labels that count now, in id order, a page at a time."""
    project = _project(project_id, session, services)
    labels = MachineLabels(session, services.clock)
    return labels.page(project, after=after, limit=limit, grade=grade)


@router.get("/machine-labels/status")
def machine_label_status(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Viewer
) -> MachineLabelStatus:
    """How many records are labelled by machine, under which promise, or why not."""
    project = _project(project_id, session, services)
    return MachineLabels(session, services.clock).status(project)


@router.get(
    "/machine-labels/export",
    response_class=StreamingResponse,
    responses=file_responses(MEDIA_TYPES.values()),
)
def export_machine_labels(
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    format: Annotated[MachineLabelFormat, Query()] = "csv",
) -> StreamingResponse:
    """Download the machine labels that count now, each marked as such with its promise."""
    project = _project(project_id, session, services)
    return StreamingResponse(
        _export_pieces(services, project, format),
        media_type=MEDIA_TYPES[format],
        headers={
            "Content-Disposition": f'attachment; filename="machine-labels-{project_id}.{format}"'
        },
    )


def _export_pieces(
    services: Services, project: Project, label_format: MachineLabelFormat
) -> Iterator[bytes]:
    """In a session of its own: the request's is closed before the answer's body is sent."""
    with services.database.reading() as session:
        labels = MachineLabels(session, services.clock).export(project)
        yield from export(labels, label_format)


def _project(project_id: int, session: SessionDep, services: ServicesDep) -> Project:
    return ProjectsService(session, services.clock).get(project_id)
