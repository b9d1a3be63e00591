"""One's own account: another password, and the end of every login."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.access.login import Login
from backend.access.login_limit import LoginLimit
from backend.access.service import AccessService
from backend.core.dependencies import AnyRole, ServicesDep
from backend.core.exceptions import AppError, InvalidInput, NotAllowed, NotAuthenticated
from backend.core.security import SESSION_COOKIE, Principal
from backend.web.rendering import render
from backend.words import N_, Message

router = APIRouter(include_in_schema=False)

WRONG_PASSWORD = N_("The present password is wrong.")
NOT_THE_SAME = N_("The two new passwords are not the same.")
CHANGED = N_("The password is changed. Logins in other browsers have ended.")
TOO_SHORT = N_("Choose a password of 10 to 200 characters.")


@router.get("/account")
def account_page(request: Request, principal: AnyRole) -> Response:
    """Forms for another password and for logging out everywhere."""
    _person(request, principal)
    return render(request, "access/account.html", {"error": None, "done": None})


@router.post("/account/password")
def change_password(
    *,
    request: Request,
    services: ServicesDep,
    principal: AnyRole,
    password: Annotated[str, Form(max_length=1000)] = "",
    new_password: Annotated[str, Form(max_length=1000)] = "",
    repeated: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Who knows the present password gets the new one; logins in other browsers end."""
    _person(request, principal)
    login: Login = request.app.state.authenticator
    try:
        _check_present(request, services, principal, password)
        if new_password != repeated:
            raise InvalidInput(NOT_THE_SAME, field="repeated")
        with services.database.transaction() as session:
            access = AccessService(session, services.clock)
            access.set_password(principal.name, new_password, actor=principal.name)
            user = access.user(principal.name)
    except AppError as error:
        return _refusal_page(request, error)
    # The form of the page belongs to the login that has just ended: the page is asked for anew.
    response = RedirectResponse("/account/changed", 303)
    login.set_cookie(response, request, user)
    return response


@router.get("/account/password")
def no_form(request: Request, _principal: AnyRole) -> Response:
    """The form is on the account page; its answer's address leads back there."""
    return RedirectResponse(f"/account?{request.url.query}", 303)


@router.get("/account/changed")
def password_changed(request: Request, principal: AnyRole) -> Response:
    """The account page after a change of the password."""
    _person(request, principal)
    return render(request, "access/account.html", {"error": None, "done": CHANGED})


@router.post("/account/log-out-everywhere")
def log_out_everywhere(request: Request, services: ServicesDep, principal: AnyRole) -> Response:
    """Every login of this user has ended, this one too."""
    _person(request, principal)
    with services.database.transaction() as session:
        AccessService(session, services.clock).end_logins(principal.name, actor=principal.name)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def _check_present(
    request: Request, services: ServicesDep, principal: Principal, password: str
) -> None:
    limit: LoginLimit = request.app.state.login_limit
    client = request.client.host if request.client else "unknown"
    limit.check(principal.name, client)
    try:
        # Verified while only reading: the slow hash must not hold the store's write lock.
        with services.database.reading() as session:
            AccessService(session, services.clock).check_password(principal.name, password)
    except NotAuthenticated as error:
        limit.count_failure(principal.name, client)
        raise InvalidInput(WRONG_PASSWORD, field="password") from error
    limit.forget_failures(principal.name, client)


def _refusal_page(request: Request, error: AppError) -> Response:
    is_length = isinstance(error, InvalidInput) and error.remedy is not None
    words = TOO_SHORT if is_length else error.message
    context = {"error": words, "done": None}
    return render(request, "access/account.html", context, error=error)


def _person(request: Request, principal: Principal) -> None:
    """Do nothing if a user is logged in.

    Raises:
        NotAllowed: a program asks, with an API key.
    """
    if not request.state.came_by_cookie:
        raise NotAllowed(
            Message("{principal} is a key; only people have a password.", principal=principal.name),
            field="Authorization",
            remedy=Message("Log in at /login."),
        )
