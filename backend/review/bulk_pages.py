"""The pages of one action on many review cases."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.language import language_of
from backend.projects.service import label_schema_of
from backend.review.bulk import BulkDecisions
from backend.review.page_words import ACTION_NAMES, BULK_NAMES, REASON_NAMES
from backend.review.requests import FormDep, ProjectDep, bulk_request, query_of
from backend.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/review")
"""Mounted before that of single cases, whose ids would take these addresses."""


@router.post("/bulk/preview")
def preview_bulk(
    *,
    request: Request,
    project: ProjectDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
) -> Response:
    """What the action would do to the cases of the filter."""
    wanted = bulk_request(form)
    context = {
        "project": project,
        "request_": wanted,
        "preview": BulkDecisions(session, services.clock).preview(project, wanted),
        "bulk_names": BULK_NAMES,
        "reason_names": REASON_NAMES,
        "action_names": ACTION_NAMES,
        "titles": label_schema_of(project).titles(language_of(request)),
        "query": query_of(wanted.filter),
    }
    return render(request, "review/bulk.html", context)


@router.get("/bulk/preview")
def no_preview(request: Request, project: ProjectDep, _principal: Lead) -> Response:
    """A preview is asked for with a form; whoever reloads its address starts from the queue."""
    return RedirectResponse(f"/projects/{project.id}/review?{request.url.query}", 303)


@router.post("/bulk")
def apply_bulk(
    *,
    project: ProjectDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> Response:
    """Do it to the cases that were shown."""
    wanted = bulk_request(form)
    done = BulkDecisions(session, services.clock).apply(project, wanted, author=principal.name)
    result = urlencode({"done": done.decided, "left": len(done.conflicts), "bulk": done.bulk_id})
    query = f"{query_of(wanted.filter)}&notice=bulk&{result}"
    return RedirectResponse(f"/projects/{project.id}/review?{query}", 303)


@router.post("/bulk/{bulk_id}/undo")
def undo_bulk(
    *,
    project: ProjectDep,
    bulk_id: str,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> Response:
    """Take a bulk action back."""
    done = BulkDecisions(session, services.clock).undo(project, bulk_id, author=principal.name)
    result = urlencode({"done": done.undone, "left": len(done.conflicts)})
    return RedirectResponse(f"/projects/{project.id}/review?notice=undone&{result}", 303)
