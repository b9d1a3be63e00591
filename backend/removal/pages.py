"""The page on which leads delete a project."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.exceptions import InvalidInput
from backend.projects.service import ProjectsService
from backend.removal.schemas import LabelStudioFate
from backend.removal.service import Removals
from backend.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/projects/{project_id}/removal")
def removal_page(
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
) -> Response:
    """What goes with the project, and the form that deletes it."""
    return _page(request, session, services, project_id)


@router.post("/projects/{project_id}/removal")
def delete_project(
    *,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
    confirm: Annotated[str, Form()] = "",
    label_studio: Annotated[LabelStudioFate, Form()] = "keep",
) -> Response:
    """Delete the project; the page again where its name was not written."""
    try:
        Removals(session, services).delete_project(
            project_id, confirmed=confirm, label_studio=label_studio, actor=principal.name
        )
    except InvalidInput:
        return _page(request, session, services, project_id, written=confirm)
    return RedirectResponse("/?notice=deleted", 303)


def _page(
    request: Request,
    session: SessionDep,
    services: ServicesDep,
    project_id: int,
    *,
    written: str | None = None,
) -> Response:
    project = ProjectsService(session, services.clock).get(project_id)
    lost = Removals(session, services).of_project(project)
    context = {"project": project, "lost": lost, "written": written}
    status = 200 if written is None else 422
    return render(request, "removal/project.html", context, status_code=status)
