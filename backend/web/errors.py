"""Problems as pages, for people in a browser; programs get problem details."""

from contextlib import suppress
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from backend.core.dependencies import get_services
from backend.core.problems import Problem
from backend.core.security import SESSION_COOKIE, Authenticator
from backend.web.negotiation import wants_page
from backend.web.rendering import is_fragment, render

UNRESOLVED = frozenset({404, 405, 422})
"""Problems that a request can have before anybody has looked at who sends it."""


def problem_page(request: Request, problem: Problem) -> Response | None:
    """A page for ``problem``, or None if the caller is not a browser looking at pages.

    Who is not logged in is sent to the login page, and back afterwards.
    """
    if not wants_page(request):
        return None
    if problem.status == 401 and is_fragment(request):
        return Response(status_code=401, headers={"HX-Redirect": _login_address(request)})
    if problem.status == 401 and request.url.path != "/login":
        return RedirectResponse(_login_address(request), 303)
    if problem.status in UNRESOLVED:
        _recognise(request)
    return render(request, "problem.html", {"problem": problem}, status_code=problem.status)


def _recognise(request: Request) -> None:
    """Who is logged in keeps the navigation where no route has asked who it is."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is None or getattr(request.state, "principal", None) is not None:
        return
    services = get_services(request)
    authenticator: Authenticator = request.app.state.authenticator
    with suppress(SQLAlchemyError), services.database.reading() as session:
        request.state.principal = authenticator.by_cookie(session, cookie)


def _login_address(request: Request) -> str:
    """The login page, which leads back: for a form, to the page that it was on."""
    page = urlsplit(request.headers.get("Referer", ""))
    is_ours = page.netloc == request.url.netloc
    is_form = request.method != "GET"
    if is_form and not is_ours:
        return "/login"
    place = page if is_ours and (is_form or is_fragment(request)) else request.url
    address = f"{place.path}?{place.query}" if place.query else place.path
    if address == "/" and not is_form:
        return "/login"
    return f"/login?next={quote(address)}{'&ended=true' if is_form else ''}"
