"""Saving, renaming and deleting views on the page of the records."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from backend.core.dependencies import ServicesDep, SessionDep, Viewer
from backend.core.exceptions import AppError, InvalidInput
from backend.explorer.address import Address
from backend.explorer.pages import ProjectDep
from backend.explorer.records_page import records_page
from backend.explorer.saved_views import SavedViews
from backend.explorer.schemas import SavedViewChange, SavedViewCreate
from backend.words import Message

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/views")
Text = Annotated[str, Form()]


@router.post("")
def save(
    *,
    request: Request,
    project: ProjectDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
    query: Text = "",
    name: Text = "",
    shared: Text = "",
) -> Response:
    """Keep the choice of the page under a name; then the page again."""
    try:
        wanted = SavedViewCreate(name=_name(name), query=query[:8000], is_shared=bool(shared))
        saved = SavedViews(session, services.clock, principal).save(project, wanted)
    except AppError as error:
        return records_page(
            request,
            session,
            services,
            project,
            Address.of_query(query),
            principal,
            error=error,
            typed_view=name,
        )
    return _back(project.id, saved.query, "view_saved")


@router.post("/{view_id:number}")
def change(
    *,
    request: Request,
    project: ProjectDep,
    view_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
    query: Text = "",
    name: Text = "",
    shared: Text = "",
) -> Response:
    """Rename it, and say who sees it."""
    try:
        wanted = SavedViewChange(name=_name(name), is_shared=bool(shared))
        SavedViews(session, services.clock, principal).change(project, view_id, wanted)
    except AppError as error:
        address = Address.of_query(query)
        return records_page(request, session, services, project, address, principal, error=error)
    return _back(project.id, query, "view_changed")


@router.post("/{view_id:number}/delete")
def delete(
    *,
    project: ProjectDep,
    view_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
    query: Text = "",
) -> Response:
    """Delete it; the records stay as they are."""
    SavedViews(session, services.clock, principal).delete(project, view_id)
    return _back(project.id, query, "view_deleted")


def _name(name: str) -> str:
    """The name as it is kept.

    Raises:
        InvalidInput: there is none, or it is too long.
    """
    try:
        return SavedViewCreate(name=name.strip()).name
    except ValidationError:
        raise InvalidInput(
            Message("A view needs a name of at most 100 characters."),
            field="name",
            value=name,
            remedy=Message("Write what its records have in common."),
        ) from None


def _back(project_id: int, query: str, notice: str) -> Response:
    kept = Address.of_query(query).query
    told = f"{kept}&notice={notice}" if kept else f"notice={notice}"
    return RedirectResponse(f"/projects/{project_id}/records?{told}", 303)
