"""What routes and pages ask for: the services, a session, a principal with a role.

::

    router = APIRouter(prefix="/api/v1/things", tags=["things"])

    @router.post("")
    def create(thing: ThingCreate, session: SessionDep, principal: Engineer) -> ThingPublic: ...

    @router.get("", dependencies=[Depends(require("viewer"))])
    def things(session: SessionDep, services: ServicesDep) -> list[ThingPublic]: ...
"""

from collections.abc import Iterator
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session
from starlette.convertors import register_url_convertor

from backend.core.exceptions import NotAllowed, NotAuthenticated
from backend.core.path_numbers import NumberConvertor
from backend.core.security import (
    CSRF_FIELD,
    CSRF_HEADER,
    SESSION_COOKIE,
    Authenticator,
    Principal,
    Role,
    csrf_token_matches,
)
from backend.core.services import Services
from backend.words import Message

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_SCHEME, LOGIN_SCHEME = "API key", "Login"
ROLE_SCHEMES = frozenset({KEY_SCHEME, LOGIN_SCHEME})
"""Credentials that stand for somebody with a role; the webhook's secret does not."""
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

register_url_convertor("number", NumberConvertor())

_bearer = HTTPBearer(
    auto_error=False, scheme_name=KEY_SCHEME, description="`Authorization: Bearer assay_…`"
)
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, scheme_name=LOGIN_SCHEME, description="the pages' login"
)


def get_services(request: Request) -> Services:
    """The services the application was created with."""
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(get_services)]
ApplicationServices = Services


def get_session(request: Request, services: ServicesDep) -> Iterator[Session]:
    """One unit of work per request: read-only for safe methods, else one transaction.

    The transaction commits after the handler returned and before the answer leaves, so a
    commit that fails is never answered with success; it rolls back when the handler raises.
    """
    database = services.database
    open_session = database.reading if request.method in SAFE_METHODS else database.transaction
    with open_session() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


def current_principal(
    request: Request,
    services: ServicesDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    cookie: Annotated[str | None, Security(_cookie)] = None,
) -> Principal:
    """The principal that the request's API key or login cookie belongs to.

    It reads in a session of its own: a request must not hold the store's write lock while
    it waits for a thread to run its handler.

    Raises:
        NotAuthenticated: no credentials, or they are unknown, expired or revoked.
    """
    authenticator = cast(Authenticator, request.app.state.authenticator)
    principal: Principal | None = None
    with services.database.reading() as session:
        if bearer is not None:
            principal = authenticator.by_api_key(session, bearer.credentials)
        elif cookie:
            principal = authenticator.by_cookie(session, cookie)
    if principal is None:
        raise NotAuthenticated(
            Message("The credentials are not valid.")
            if bearer or cookie
            else Message("Credentials are missing."),
            remedy=Message("Log in at /login or send 'Authorization: Bearer <API key>'."),
        )
    request.state.principal = principal
    request.state.came_by_cookie = bearer is None
    return principal


PrincipalDep = Annotated[Principal, Depends(current_principal)]


async def refuse_forged_requests(request: Request, _principal: PrincipalDep) -> None:
    """Cookie-authenticated writes must come from our own pages.

    Raises:
        NotAllowed: another origin, or the CSRF token is missing or wrong.
    """
    if request.method in SAFE_METHODS or not request.state.came_by_cookie:
        return
    refuse_other_origins(request)
    token = request.headers.get(CSRF_HEADER, "")
    if not token and request.headers.get("Content-Type", "").startswith(FORM_TYPES):
        field = (await request.form()).get(CSRF_FIELD)
        token = field if isinstance(field, str) else ""
    if not csrf_token_matches(request.cookies.get(SESSION_COOKIE, ""), token):
        raise NotAllowed(
            Message("The form's CSRF token is missing or out of date."),
            field=CSRF_FIELD,
            remedy=Message("Reload the page and send the form again; programs use an API key."),
        )


def refuse_other_origins(request: Request) -> None:
    """Refuse a browser request that another site sent.

    Raises:
        NotAllowed: the Origin header names another host.
    """
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.headers.get("Host"):
        raise NotAllowed(
            Message("Requests from the origin {origin} are refused.", origin=origin),
            field="Origin",
            value=origin,
            remedy=Message("Open the page on its own address."),
        )


class RequireRole:
    """Dependency: the principal, if its role includes ``role``."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def __call__(
        self,
        request: Request,
        principal: PrincipalDep,
        _not_forged: Annotated[None, Depends(refuse_forged_requests)],
    ) -> Principal:
        if not principal.may(self.role):
            raise NotAllowed(
                Message(
                    "This needs the role {role}; {principal} is {role_held}.",
                    role=Message(self.role),
                    principal=principal.name,
                    role_held=Message(principal.role),
                ),
                field="role",
                value=principal.role,
                remedy=(
                    Message("Ask an administrator for the role.")
                    if request.state.came_by_cookie
                    else Message("Use a key with that role; whoever runs the server makes keys.")
                ),
            )
        return principal


def require(role: Role) -> RequireRole:
    """The dependency that lets a route be used by ``role`` and above."""
    return RequireRole(role)


AnyRole = Annotated[Principal, Depends(require("annotator"))]
Scorer = Annotated[Principal, Depends(require("scorer"))]
Viewer = Annotated[Principal, Depends(require("viewer"))]
Reviewer = Annotated[Principal, Depends(require("reviewer"))]
Engineer = Annotated[Principal, Depends(require("engineer"))]
Lead = Annotated[Principal, Depends(require("lead"))]
Admin = Annotated[Principal, Depends(require("admin"))]
