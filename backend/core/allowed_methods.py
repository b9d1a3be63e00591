"""Which methods an address has: what the ``Allow`` header of a 405 says (RFC 9110, 15.5.6)."""

from fastapi import Request
from starlette.routing import Match, Mount
from starlette.types import Scope

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
FILE_METHODS = ("GET", "HEAD")
"""Of a folder of files."""


def allowed_methods(request: Request) -> str:
    """The methods that some route has at the request's address, as ``Allow`` lists them.

    The framework asks only the first route of that path, although each method has its own.
    """
    found: set[str] = set()
    for method in METHODS:
        for route in request.app.routes:
            if route.matches(_fresh_scope(request, method))[0] == Match.FULL:
                found.update(FILE_METHODS if isinstance(route, Mount) else [method])
                break
    return ", ".join(sorted(found))


def _fresh_scope(request: Request, method: str) -> Scope:
    """As if nothing had been routed yet."""
    root = request.scope.get("app_root_path", "")
    return {
        "type": "http",
        "method": method,
        "path": request.scope["path"],
        "root_path": root,
        "headers": [],
    }
