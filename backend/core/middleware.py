"""Around every request: an id, one log line, security headers, no leaked exception."""

import logging
import re
import secrets
import time

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.core.language import language_of
from backend.core.logging import log_context
from backend.core.problems import HtmlPage, problem_of, problem_response

REQUEST_ID_HEADER = "X-Request-ID"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

log = logging.getLogger("assay.http")


class RequestContext:
    """ASGI middleware; the outermost of ours."""

    def __init__(self, app: ASGIApp, html_page: HtmlPage | None = None) -> None:
        self._app = app
        self._html_page = html_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = sent if _ACCEPTABLE_ID.fullmatch(sent) else secrets.token_hex(8)
        with log_context(request_id=request_id):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            log.exception("request failed", extra={"path": scope["path"]})
            if status:
                raise
            await self._failure_response(scope, error)(scope, receive, send_with_headers)
        finally:
            log.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "milliseconds": round(1000 * (time.perf_counter() - started), 1),
                },
            )

    def _failure_response(self, scope: Scope, error: Exception) -> Response:
        request = Request(scope)
        problem = problem_of(error, language_of(request))
        try:
            page = self._html_page(request, problem) if self._html_page else None
        except Exception:  # what broke the request may break the page too
            log.exception("the page about an error failed", extra={"path": scope["path"]})
            page = None
        return page if page is not None else problem_response(problem)
