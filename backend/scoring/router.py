"""Verdicts over HTTP."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, Viewer
from backend.core.request_body import LARGEST_OFFSET
from backend.core.responses import file_responses, problem_responses
from backend.core.services import Services
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of
from backend.records.service import RecordsService
from backend.scoring.export import MEDIA_TYPES, export
from backend.scoring.schemas import (
    QueuedRefresh,
    VerdictFacets,
    VerdictFormat,
    VerdictPage,
    VerdictState,
)
from backend.scoring.service import Verdicts
from backend.scoring.verdict_filter import VerdictFilter, VerdictOrder

router = APIRouter(prefix="/api/v1/projects/{project_id}/verdicts", tags=["verdicts"])


class VerdictQuery(VerdictFilter, VerdictOrder):
    """Conditions, order, and which part of what matches."""

    offset: int = Field(0, ge=0, le=LARGEST_OFFSET, description="the last page's `next_offset`")
    limit: int = Field(50, ge=1, le=1_000)


class VerdictFacetQuery(VerdictFilter):
    """Conditions, and which columns' values are counted, too."""

    column: list[str] = Field(
        default_factory=list, max_length=20, description="fields whose values are counted"
    )


class VerdictExportQuery(VerdictFilter, VerdictOrder):
    """Conditions, order, and the file's format."""

    format: VerdictFormat = "csv"


@router.get("", responses=problem_responses(409))
def list_verdicts(
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    query: Annotated[VerdictQuery, Query()],
) -> VerdictPage:
    """List what the champion says of every record that matches, and what counts beside it."""
    project = ProjectsService(session, services.clock).get(project_id)
    return Verdicts(session, services).page(
        project, query, query, offset=query.offset, limit=query.limit
    )


@router.get("/state")
def verdict_state(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Viewer
) -> VerdictState:
    """Whose verdicts are read now, and whether they are of now."""
    project = ProjectsService(session, services.clock).get(project_id)
    return Verdicts(session, services).state(project)


@router.get("/facets", responses=problem_responses(409))
def verdict_facets(
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    query: Annotated[VerdictFacetQuery, Query()],
) -> VerdictFacets:
    """Count the records that match, by what there is to filter by."""
    project = ProjectsService(session, services.clock).get(project_id)
    return Verdicts(session, services).facets(project, query, query.column)


@router.post("/refresh", status_code=202)
def refresh_verdicts_now(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Engineer
) -> QueuedRefresh:
    """Bring the verdicts up to date in the background; they are by themselves, too."""
    project = ProjectsService(session, services.clock).get(project_id)
    return QueuedRefresh(job_id=Verdicts(session, services).request(project))


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={**file_responses(MEDIA_TYPES.values()), **problem_responses(409)},
)
def export_verdicts(
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    query: Annotated[VerdictExportQuery, Query()],
) -> StreamingResponse:
    """Download the verdict on every record that matches."""
    project = ProjectsService(session, services.clock).get(project_id)
    Verdicts(session, services).record_ids(project, query)  # a refusal before the first byte
    return StreamingResponse(
        _export_pieces(services, project, query),
        media_type=MEDIA_TYPES[query.format],
        headers={
            "Content-Disposition": f'attachment; filename="verdicts-{project_id}.{query.format}"'
        },
    )


def _export_pieces(
    services: Services, project: Project, query: VerdictExportQuery
) -> Iterator[bytes]:
    """In a session of its own: the request's is closed before the answer's body is sent."""
    with services.database.reading() as session:
        fields = RecordsService(session, services.clock).get_dataset(project.dataset_id).fields
        verdicts = Verdicts(session, services).all_of(project, query, query)
        yield from export(verdicts, label_schema_of(project), fields, query.format)
