"""Which language a reader wants."""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.words import READER, Language, languages, preferred_language

LANGUAGE_COOKIE = "assay_language"
LANGUAGE_PARAMETER = "lang"


def language_of(request: Request) -> Language:
    """The reader's language: asked for in the address, chosen before, or the browser's first."""
    asked = request.query_params.get(LANGUAGE_PARAMETER) or request.cookies.get(LANGUAGE_COOKIE)
    if asked in languages():
        return asked
    return preferred_language(_tags(request.headers.get("Accept-Language", "")))


def _tags(header: str) -> list[str]:
    """The languages that the browser accepts, the dearest first."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighted.append((float(quality or 1), tag))
        except ValueError:
            continue
    return [tag for _weight, tag in sorted(weighted, key=lambda item: -item[0]) if tag]


class ReaderLanguage:
    """While a request is answered, ``READER`` is the language of whoever asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held = READER.set(language_of(Request(scope)))
        try:
            await self._app(scope, receive, send)
        finally:
            READER.reset(held)
