"""Everybody's page about their own labelling."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.core.dependencies import AnyRole, ServicesDep, SessionDep
from backend.overview.own_work import OwnWork, OwnWorkService
from backend.web.rendering import render

router = APIRouter()


@router.get("/my-work", include_in_schema=False)
def own_work_page(
    principal: AnyRole, request: Request, session: SessionDep, services: ServicesDep
) -> Response:
    """What I labelled, what was sent back to me, and where to go on."""
    work = OwnWorkService(session, services.clock, services.settings).of(principal.name)
    return render(request, "overview/own_work.html", {"work": work})


@router.get("/api/v1/my-work", tags=["status"])
def own_work(principal: AnyRole, session: SessionDep, services: ServicesDep) -> OwnWork:
    """What the caller labelled, and what was sent back to them; found by e-mail address."""
    return OwnWorkService(session, services.clock, services.settings).of(principal.name)
