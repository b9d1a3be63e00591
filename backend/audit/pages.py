"""The page on which leads read who did what."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from backend.audit.action_names import ACTION_NAMES
from backend.audit.schemas import AuditFilter
from backend.audit.service import AuditTrail
from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.exceptions import InvalidInput
from backend.core.request_body import LARGEST_NUMBER
from backend.web.rendering import render
from backend.words import Message

router = APIRouter(include_in_schema=False)

SHOWN = 50
"""Entries a page. Chosen."""


@router.get("/audit")
def audit_page(
    *,
    request: Request,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    actor: Annotated[str, Query(max_length=320)] = "",
    action: Annotated[str, Query(max_length=100)] = "",
    subject: Annotated[str, Query(max_length=300)] = "",
    project_id: str = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER)] = None,
) -> Response:
    """Who did what and when, by person, action, subject or project."""
    wanted = AuditFilter(
        actor=actor.strip() or None,
        action=action or None,
        subject=subject.strip() or None,
        project_id=_number(project_id),
        before=before,
    )
    trail = AuditTrail(session, services.clock)
    context = {
        "page": trail.page(wanted, limit=SHOWN),
        "filter": wanted,
        "query": urlencode(wanted.model_dump(exclude={"before"}, exclude_none=True)),
        "actions": trail.actions(),
        "action_names": ACTION_NAMES,
        "projects": trail.projects(),
    }
    return render(request, "audit/events.html", context)


def _number(project_id: str) -> int | None:
    """An empty choice of the form is no project.

    Raises:
        InvalidInput: it is no number.
    """
    if not project_id:
        return None
    if not (project_id.isascii() and project_id.isdigit()) or len(project_id) > 18:
        raise InvalidInput(
            Message("project_id cannot be {project_id!r}.", project_id=project_id),
            field="project_id",
            value=project_id,
            remedy=Message("Choose a project from the list."),
        )
    return int(project_id)
