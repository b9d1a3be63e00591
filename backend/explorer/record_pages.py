"""The page of one record."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import ServicesDep, SessionDep, Viewer
from backend.core.language import language_of
from backend.explorer.record_neighbours import RecordQuery, neighbours
from backend.explorer.record_service import RecordExplorer
from backend.explorer.record_words import ACCEPTANCE_NAMES, PURPOSE_NAMES, SOURCE_NAMES
from backend.projects.service import ProjectsService, label_schema_of
from backend.projects.titles import with_titles
from backend.review.page_words import ACTION_NAMES, METHOD_NAMES, STATES
from backend.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/records")


@router.get("/by-external-id/{external_id:path}")
def record_by_external_id(
    request: Request,
    project_id: int,
    external_id: str,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
) -> Response:
    """The page of the record's current version."""
    project = ProjectsService(session, services.clock).get(project_id)
    record_id = RecordExplorer(session, services).current_id(project, external_id)
    query = urlencode(request.query_params.multi_items())
    place = f"/projects/{project_id}/records/{record_id}"
    return RedirectResponse(f"{place}?{query}" if query else place, 303)


@router.get("/{record_id:number}")
def record_page(
    *,
    request: Request,
    project_id: int,
    record_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
    query: Annotated[RecordQuery, Query()],
) -> Response:
    """One record with its verdict, labels, history and what resembles it."""
    project = ProjectsService(session, services.clock).get(project_id)
    schema = label_schema_of(project)
    details = RecordExplorer(session, services).details(
        project, record_id, are_named=principal.may("reviewer")
    )
    context = {
        "project": project,
        "details": details,
        "near": neighbours(session, services, project, record_id, query),
        "query": query,
        "schema": schema,
        "titles": schema.titles(language_of(request)),
        "with_titles": lambda message: with_titles(message, schema),
        "source_names": SOURCE_NAMES,
        "purpose_names": PURPOSE_NAMES,
        "acceptance_names": ACCEPTANCE_NAMES,
        "action_names": ACTION_NAMES,
        "method_names": METHOD_NAMES,
        "states": STATES,
    }
    return render(request, "explorer/record.html", context)
