"""Log in and out; below it the pages of one's own account and of all users."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.access import account_pages, user_pages
from backend.access.login import Login
from backend.access.login_limit import LoginLimit, TooManyAttempts
from backend.access.service import AccessService
from backend.audit.service import AuditTrail
from backend.core.dependencies import (
    AnyRole,
    ServicesDep,
    refuse_other_origins,
)
from backend.core.exceptions import NotAuthenticated
from backend.core.security import SESSION_COOKIE
from backend.web.rendering import render

router = APIRouter(include_in_schema=False)
router.include_router(account_pages.router)
router.include_router(user_pages.router)

OWN_WORK = "/my-work"


@router.get("/login")
def login_page(request: Request, next: str = "/", ended: bool = False) -> Response:
    """The form; ``ended``: something was sent after the login had ended."""
    return _form(request, next=next, has_ended=ended)


@router.post("/login", dependencies=[Depends(refuse_other_origins)])
def log_in(
    request: Request,
    services: ServicesDep,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Sets the login cookie and goes on to the page that was asked for."""
    login: Login = request.app.state.authenticator
    limit: LoginLimit = request.app.state.login_limit
    client = request.client.host if request.client else "unknown"
    address = email.strip().lower()
    try:
        limit.check(address, client)
    except TooManyAttempts as error:
        return _form(request, next=next, email=email, error=error)
    try:
        # Verified while only reading: the slow hash must not hold the store's write lock.
        with services.database.reading() as session:
            user = AccessService(session, services.clock).check_password(email, password)
    except NotAuthenticated as error:
        limit.count_failure(address, client)
        _note(services, address, "login.failed", client)
        return _form(request, next=next, email=email, error=error)
    limit.forget_failures(address, client)
    _note(services, address, "login.succeeded", client)
    target = _own_path(next)
    if user.role == "annotator" and target == "/":
        target = OWN_WORK
    response = RedirectResponse(target, 303)
    login.set_cookie(response, request, user)
    return response


@router.post("/logout")
def log_out(_principal: AnyRole) -> Response:
    """Forgets the login cookie."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def _note(services: ServicesDep, address: str, action: str, client: str) -> None:
    with services.database.transaction() as session:
        AuditTrail(session, services.clock).append(
            address[:320] or "nobody", action, "login", {"client": client}
        )


def _form(
    request: Request,
    *,
    next: str,
    email: str = "",
    has_ended: bool = False,
    error: NotAuthenticated | TooManyAttempts | None = None,
) -> Response:
    context = {"next": _own_path(next), "email": email, "error": error, "has_ended": has_ended}
    return render(request, "access/login.html", context, error=error)


def _own_path(address: str) -> str:
    """``address`` if it is a path of this site, else the start page."""
    parts = urlsplit(address)
    is_path = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_path and not parts.netloc and not parts.scheme else "/"
