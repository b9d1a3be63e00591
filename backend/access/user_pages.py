"""The administrators' page about users: make, change the role, disable, give a new password."""

import secrets
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.access.service import AccessService
from backend.core.dependencies import Admin, ServicesDep, SessionDep
from backend.core.exceptions import AppError
from backend.core.security import USER_ROLES
from backend.core.services import Services
from backend.web.rendering import render
from backend.words import N_

router = APIRouter(prefix="/users", include_in_schema=False)

GENERATED_BYTES = 15
"""120 random bits, 20 characters."""
NOTICES = {
    "role": N_("The role is changed; it counts from the next request on."),
    "disabled": N_("The user is disabled; every login of theirs has ended."),
    "enabled": N_("The user may log in again."),
    "ended": N_("Every login of the user has ended."),
}
ROLE_WORDS = {
    "annotator": N_("own work and guidelines only"),
    "viewer": N_("also reads projects and records"),
    "reviewer": N_("also decides cases one at a time"),
    "engineer": N_("also imports, trains and runs jobs"),
    "lead": N_("also sees annotators' quality, decides in bulk, writes guidelines"),
    "admin": N_("also manages users and keys"),
}


@router.get("")
def users_page(
    request: Request, session: SessionDep, services: ServicesDep, principal: Admin
) -> Response:
    """All users, and a form for one more."""
    users = AccessService(session, services.clock)
    return _page(request, users, principal.name, notice=_notice(request))


@router.post("")
def create_user(
    *,
    request: Request,
    services: ServicesDep,
    principal: Admin,
    email: Annotated[str, Form(max_length=400)] = "",
    role: Annotated[str, Form()] = "annotator",
) -> Response:
    """A new user with a password of our making, which is shown once."""
    password = secrets.token_urlsafe(GENERATED_BYTES)
    try:
        with services.database.transaction() as session:
            user = AccessService(session, services.clock).create_user(
                email, role, password, actor=principal.name
            )
    except AppError as error:
        return _after(request, services, principal.name, error=error, email=email)
    return _after(request, services, principal.name, shown=(user.email, password))


@router.post("/{user_id}/password")
def reset_password(
    user_id: int, request: Request, services: ServicesDep, principal: Admin
) -> Response:
    """The user has a new password of our making, which is shown once; their logins end."""
    password = secrets.token_urlsafe(GENERATED_BYTES)
    with services.database.transaction() as session:
        access = AccessService(session, services.clock)
        email = access.user_by_id(user_id).email
        access.set_password(email, password, actor=principal.name)
    return _after(request, services, principal.name, shown=(email, password))


@router.post("/{user_id}/role")
def change_role(
    *,
    user_id: int,
    request: Request,
    services: ServicesDep,
    principal: Admin,
    role: Annotated[str, Form()],
) -> Response:
    """The user has another role."""
    try:
        with services.database.transaction() as session:
            access = AccessService(session, services.clock)
            access.set_role(access.user_by_id(user_id).email, role, actor=principal.name)
    except AppError as error:
        return _after(request, services, principal.name, error=error)
    return _back("role")


@router.post("/{user_id}/state")
def change_state(
    *,
    user_id: int,
    request: Request,
    services: ServicesDep,
    principal: Admin,
    state: Annotated[str, Form(pattern="^(disabled|enabled|ended)$")],
) -> Response:
    """The user is disabled or enabled, or only their logins have ended."""
    try:
        with services.database.transaction() as session:
            access = AccessService(session, services.clock)
            change = {
                "disabled": access.disable_user,
                "enabled": access.enable_user,
                "ended": access.end_logins,
            }[state]
            change(access.user_by_id(user_id).email, actor=principal.name)
    except AppError as error:
        return _after(request, services, principal.name, error=error)
    return _back(state)


def _after(
    request: Request,
    services: Services,
    me: str,
    *,
    error: AppError | None = None,
    shown: tuple[str, str] | None = None,
    email: str = "",
) -> Response:
    with services.database.reading() as session:
        access = AccessService(session, services.clock)
        return _page(request, access, me, error=error, shown=shown, email=email)


def _page(
    request: Request,
    access: AccessService,
    me: str,
    *,
    notice: str | None = None,
    error: AppError | None = None,
    shown: tuple[str, str] | None = None,
    email: str = "",
) -> Response:
    context = {
        "users": access.users(),
        "roles": [(role, ROLE_WORDS[role]) for role in USER_ROLES],
        "me": me,
        "notice": notice,
        "error": error,
        "shown": shown,
        "email": email,
    }
    return render(request, "access/users.html", context, error=error)


def _notice(request: Request) -> str | None:
    return NOTICES.get(request.query_params.get("notice", ""))


def _back(notice: str) -> Response:
    return RedirectResponse(f"/users?{urlencode({'notice': notice})}", 303)
