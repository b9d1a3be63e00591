"""The pages between ticking records and sending them on."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, Viewer, require
from backend.core.exceptions import AppError, Conflict, InvalidInput
from backend.core.language import language_of
from backend.explorer.address import Address
from backend.explorer.choices import ChoiceWords, chips_of
from backend.explorer.page_words import FORMATS
from backend.explorer.pages import ProjectDep
from backend.explorer.records_page import records_page
from backend.explorer.sending import Sending, Target, sending_key
from backend.models import Project
from backend.projects.service import label_schema_of
from backend.scoring.verdict_filter import VerdictFilter
from backend.web.rendering import render
from backend.words import Message, translator

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/records")
ALL, TICKED = "all", "ticked"


async def form_of(request: Request) -> FormData:
    """The form that was sent."""
    return await request.form()


FormDep = Annotated[FormData, Depends(form_of)]


@router.post("/chosen")
def choose(
    *,
    request: Request,
    project: ProjectDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
) -> Response:
    """What would happen to the records that are ticked, or to all that match; or their file."""
    address = Address.of_query(_text(form, "query"))
    chosen = _choice(form, address)
    action = _text(form, "action")
    if chosen.error is not None:
        error: AppError = chosen.error
    elif _text(form, "which") != ALL and not chosen.wanted.record_id:
        error = InvalidInput(
            Message("No record is chosen."),
            field="record_id",
            remedy=Message("Tick rows, or choose all that match."),
        )
    elif action in FORMATS:
        place = f"/api/v1/projects/{project.id}/verdicts/export"
        query = urlencode([*chosen.pairs, ("format", action)])
        return RedirectResponse(f"{place}?{query}", 303)
    else:
        return _confirmation(request, session, services, project, address, chosen, form, principal)
    return records_page(request, session, services, project, address, principal, error=error)


@router.get("/chosen")
def nothing_chosen(project: ProjectDep) -> Response:
    """Records are chosen with a form; whoever reloads its address starts from the list."""
    return RedirectResponse(f"/projects/{project.id}/records", 303)


@router.post("/sent")
def send(
    *,
    request: Request,
    project: ProjectDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
) -> Response:
    """Send them, if they are as many as was confirmed; then the list, with a way back."""
    address = Address.of_query(_text(form, "query"))
    chosen, target = _choice(form, address), _target(_text(form, "action"))
    key, service = _text(form, "sending")[:64], Sending(session, services)
    try:
        if service.look_up(project, target, key) is None:
            _check_number(service, project, chosen.wanted, target, _text(form, "going"))
            service.send(project, chosen.wanted, target, actor=principal.name, sending=key)
    except (Conflict, InvalidInput) as error:
        return records_page(request, session, services, project, address, principal, error=error)
    told = [*address.pairs, ("sent", key), ("to", target)]
    return RedirectResponse(f"/projects/{project.id}/records?{urlencode(told)}", 303)


@router.post("/sent/undo")
def undo(
    *,
    request: Request,
    project: ProjectDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
) -> Response:
    """Take back what was sent, as far as nobody has worked on it."""
    address, target = Address.of_query(_text(form, "query")), _target(_text(form, "action"))
    service = Sending(session, services)
    try:
        service.take_back(project, target, _text(form, "sending"), actor=principal.name)
    except AppError as error:
        return records_page(request, session, services, project, address, principal, error=error)
    told = [*address.pairs, ("notice", "taken_back")]
    return RedirectResponse(f"/projects/{project.id}/records?{urlencode(told)}", 303)


def _confirmation(
    request: Request,
    session: SessionDep,
    services: ServicesDep,
    project: Project,
    address: Address,
    chosen: Address,
    form: FormData,
    principal: Viewer,
) -> Response:
    require("engineer")(request, principal, None)
    target = _target(_text(form, "action"))
    try:
        plan = Sending(session, services).plan(project, chosen.wanted, target)
    except (Conflict, InvalidInput) as error:
        return records_page(request, session, services, project, address, principal, error=error)
    titles = label_schema_of(project).titles(language_of(request))
    words = ChoiceWords(titles, translator(language_of(request)))
    moment = services.clock().isoformat()
    context = {
        "project": project,
        "target": target,
        "plan": plan,
        "query": address.query,
        "which": ALL if _text(form, "which") == ALL else TICKED,
        "record_ids": [] if _text(form, "which") == ALL else chosen.wanted.record_id,
        "chips": chips_of(address, words),
        "sending": sending_key(principal.name, target, chosen.query, moment),
    }
    return render(request, "explorer/sending.html", context)


def _choice(form: FormData, address: Address) -> Address:
    """All that match the address; or the ticked ones, whatever the address says."""
    if _text(form, "which") == ALL:
        return address
    return Address.read([("record_id", str(each)) for each in form.getlist("record_id")])


def _check_number(
    service: Sending, project: Project, wanted: VerdictFilter, target: Target, confirmed: str
) -> None:
    """Do nothing if as many would be sent as was confirmed.

    Raises:
        Conflict: others match by now.
    """
    going = service.plan(project, wanted, target).records_to_send
    if str(going) != confirmed:
        raise Conflict(
            Message.ngettext(
                "Meanwhile {n:,} record would be sent, not as many as you confirmed.",
                "Meanwhile {n:,} records would be sent, not as many as you confirmed.",
                n=going,
            ),
            field="going",
            value=confirmed,
            remedy=Message("Nothing was sent. Look at them, and send them again."),
        )


def _target(name: str) -> Target:
    if name not in {"label", "desk"}:
        raise InvalidInput(
            Message("Records are not sent to {target!r}.", target=name),
            field="action",
            value=name,
            remedy=Message("Reload the page and choose again."),
        )
    return "label" if name == "label" else "desk"


def _text(form: FormData, name: str) -> str:
    return str(form.get(name) or "")
