"""The page of a project's records: search, filter, sort."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import ServicesDep, SessionDep, Viewer
from backend.explorer.address import NEW_FIELD, Address
from backend.explorer.page_words import notice_words
from backend.explorer.records_page import records_page
from backend.explorer.sending import Sending, Target
from backend.models import Project
from backend.projects.service import ProjectsService
from backend.scoring.service import Verdicts
from backend.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/records")


def project_of(
    _viewer: Viewer, project_id: int, session: SessionDep, services: ServicesDep
) -> Project:
    """The project of the address; who may not look learns nothing of it."""
    return ProjectsService(session, services.clock).get(project_id)


ProjectDep = Annotated[Project, Depends(project_of)]


@router.get("")
def list_page(
    *,
    request: Request,
    project: ProjectDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
    notice: str = "",
    sent: str = "",
    to: str = "",
) -> Response:
    """The records that match the address, in its order.

    What a form sends is written as the address of that choice, which can be sent to others.
    """
    given = request.query_params.multi_items()
    address = Address.read(given)
    if NEW_FIELD in request.query_params or any(not value for _, value in given):
        place = f"/projects/{project.id}/records"
        return RedirectResponse(f"{place}?{address.query}" if address.query else place, 303)
    target = _target(to)
    return records_page(
        request,
        session,
        services,
        project,
        address,
        principal,
        notice=notice_words(notice),
        sent=Sending(session, services).look_up(project, target, sent) if sent and target else None,
    )


@router.get("/state")
def state_line(
    request: Request,
    project: ProjectDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
) -> Response:
    """Whose verdicts are read; the page asks again while they are being renewed."""
    context = {"project": project, "state": Verdicts(session, services).state(project)}
    return render(request, "explorer/state.html", context)


def _target(name: str) -> Target | None:
    return "label" if name == "label" else "desk" if name == "desk" else None
