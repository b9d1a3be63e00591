"""The page on which leads register receivers and see what they were told."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.exceptions import AppError, InvalidInput
from backend.core.services import Services
from backend.notices.schemas import KIND_WORDS, NOTICE_KINDS, AddressCreate, NewAddress
from backend.notices.service import NoticesService
from backend.projects.service import ProjectsService
from backend.web.rendering import render
from backend.words import N_, Message

router = APIRouter(prefix="/notices", include_in_schema=False)

NOTICES = {
    "deleted": N_("The receiver is gone."),
    "activated": N_("The receiver is told again."),
    "tested": N_("A test notice is on its way; its answer will be in the list below."),
    "again": N_("The notice is on its way again."),
}
STATUS_WORDS = {
    "open": N_("on its way"),
    "delivered": N_("delivered"),
    "given_up": N_("given up"),
}


@router.get("")
def notices_page(
    request: Request, session: SessionDep, services: ServicesDep, _principal: Lead
) -> Response:
    """Receivers, a form for one more, and the newest notices with their answers."""
    return _page(request, session, services)


@router.post("")
def add_address(
    *,
    request: Request,
    services: ServicesDep,
    principal: Lead,
    name: Annotated[str, Form(max_length=400)] = "",
    url: Annotated[str, Form(max_length=4000)] = "",
    kinds: Annotated[list[str] | None, Form()] = None,
    project_id: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """A new receiver, whose secret is shown once."""
    made, failure = None, None
    written = {"name": name, "url": url, "kinds": kinds or [], "project_id": project_id}
    try:
        wanted = _address_of(name, url, kinds or [], project_id)
        with services.database.transaction() as session:
            made = NoticesService(session, services).add_address(wanted, actor=principal.name)
    except AppError as error:
        failure = error
    with services.database.reading() as session:
        return _page(
            request, session, services, made=made, error=failure, written=None if made else written
        )


@router.post("/addresses/{address_id}/{deed}")
def change_address(
    *,
    address_id: int,
    deed: Literal["test", "activate", "delete"],
    request: Request,
    services: ServicesDep,
    principal: Lead,
) -> Response:
    """The receiver is tested, activated or taken away."""

    def change(service: NoticesService) -> str:
        if deed == "delete":
            service.delete_address(address_id, actor=principal.name)
            return "deleted"
        if deed == "activate":
            service.activate(address_id, actor=principal.name)
            return "activated"
        service.send_test(address_id, actor=principal.name)
        return "tested"

    try:
        with services.database.transaction() as session:
            notice = change(NoticesService(session, services))
    except AppError as error:
        with services.database.reading() as session:
            return _page(request, session, services, error=error)
    return RedirectResponse(f"/notices?notice={notice}", 303)


@router.post("/{notice_id}/send-again")
def send_again(
    notice_id: str, request: Request, services: ServicesDep, principal: Lead
) -> Response:
    """The notice is sent once more."""
    try:
        with services.database.transaction() as session:
            NoticesService(session, services).send_again(notice_id, actor=principal.name)
    except AppError as error:
        with services.database.reading() as session:
            return _page(request, session, services, error=error)
    return RedirectResponse("/notices?notice=again", 303)


def _address_of(name: str, url: str, kinds: list[str], project_id: str) -> AddressCreate:
    """What the form asks for.

    Raises:
        InvalidInput: something is left out.
    """
    if not kinds:
        raise InvalidInput(
            Message("Nothing is chosen that the receiver shall be told."),
            field="kinds",
            remedy=Message("Choose one kind or more."),
        )
    if not name.strip() or not url.strip():
        raise InvalidInput(
            Message("The receiver needs a name and a URL."),
            field="url" if name.strip() else "name",
        )
    try:
        number = int(project_id) if project_id else None
        return AddressCreate.model_validate(
            {"name": name.strip(), "url": url.strip(), "kinds": kinds, "project_id": number}
        )
    except (ValidationError, ValueError) as error:
        raise InvalidInput(
            Message("Name, URL, project or kinds cannot be used as they are."),
            remedy=Message("Shorten name and URL, and choose from the lists."),
        ) from error


def _page(
    request: Request,
    session: SessionDep,
    services: Services,
    *,
    made: NewAddress | None = None,
    error: AppError | None = None,
    written: Mapping[str, object] | None = None,
) -> Response:
    service = NoticesService(session, services)
    addresses = service.addresses()
    projects = ProjectsService(session, services.clock).list()
    context: dict[str, Any] = {
        "addresses": addresses,
        "names": {each.id: each.name for each in addresses},
        "notices": service.notices(),
        "projects": [(each.id, each.name) for each in projects],
        "project_names": {each.id: each.name for each in projects},
        "kinds": [(kind, KIND_WORDS[kind]) for kind in NOTICE_KINDS],
        "kind_words": KIND_WORDS,
        "status_words": STATUS_WORDS,
        "made": made,
        "error": error,
        "written": written or {"name": "", "url": "", "kinds": NOTICE_KINDS, "project_id": ""},
        "notice": NOTICES.get(request.query_params.get("notice", "")),
    }
    return render(request, "notices/notices.html", context, error=error)
