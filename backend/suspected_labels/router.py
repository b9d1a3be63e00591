"""Findings about labels over HTTP."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.request_body import LARGEST_OFFSET
from backend.core.responses import file_responses
from backend.core.services import Services
from backend.models import Project
from backend.projects.service import ProjectsService
from backend.suspected_labels.export import MEDIA_TYPES, FindingFormat, export
from backend.suspected_labels.schemas import FindingKind, LabelFindingPage, QueuedAssessment
from backend.suspected_labels.service import LabelFindings

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/label-findings",
    tags=["label findings"],
)

KindQuery = Annotated[
    FindingKind, Query(description="which, and in which order; all are by suspicion")
]


@router.get("")
def list_findings(
    *,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    kind: KindQuery = "suspects",
    offset: Annotated[
        int, Query(ge=0, le=LARGEST_OFFSET, description="the last page's `next_offset`")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> LabelFindingPage:
    """List what the newest assessed model version says about labels, the most telling first."""
    project = ProjectsService(session, services.clock).get(project_id)
    findings = LabelFindings(session, services.clock)
    return findings.page(project, kind, offset=offset, limit=limit)


@router.post("", status_code=202)
def assess_now(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Lead
) -> QueuedAssessment:
    """Judge the labels of the newest model version, where a retraining has not done it."""
    project = ProjectsService(session, services.clock).get(project_id)
    findings = LabelFindings(session, services.clock)
    return QueuedAssessment(job_id=findings.request(project, actor=principal.name))


@router.get(
    "/export", response_class=StreamingResponse, responses=file_responses(MEDIA_TYPES.values())
)
def export_findings(
    *,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    kind: KindQuery = "all",
    format: Annotated[FindingFormat, Query()] = "csv",
) -> StreamingResponse:
    """Download the findings, by default about every label."""
    project = ProjectsService(session, services.clock).get(project_id)
    name = f"label-findings-{project_id}.{format}"
    return StreamingResponse(
        _export_pieces(services, project, kind, format),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _export_pieces(
    services: Services, project: Project, kind: FindingKind, form: FindingFormat
) -> Iterator[bytes]:
    """In a session of its own: the request's is closed before the answer's body is sent."""
    with services.database.reading() as session:
        findings = LabelFindings(session, services.clock)
        yield from export(findings.export(project, kind), form)
