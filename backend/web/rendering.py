"""Templates to answers: a whole page, or only a fragment of it when HTMX asks."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from backend.core.exceptions import AppError
from backend.core.language import LANGUAGE_COOKIE, LANGUAGE_PARAMETER, language_of
from backend.core.security import CSRF_FIELD, SESSION_COOKIE, csrf_token
from backend.web.job_names import JOB_NAMES
from backend.web.negotiation import wants_page
from backend.web.project_pages import PROJECT_PAGES, project_page
from backend.words import (
    Language,
    Message,
    language_name,
    language_tag,
    languages,
    translator,
)

HERE = Path(__file__).parent
STATIC_DIR = HERE / "static"
WHOLE_PAGE_HEADERS = ("HX-Boosted", "HX-History-Restore-Request")
YEAR_SECONDS = 365 * 24 * 3600


def is_fragment(request: Request) -> bool:
    """True if HTMX asks for a part of a page that is already shown.

    Going back to a filter that was shown before, it asks for the whole page.
    """
    is_whole = any(header in request.headers for header in WHOLE_PAGE_HEADERS)
    return "HX-Request" in request.headers and not is_whole


def render(
    request: Request,
    template: str,
    context: dict[str, Any],
    *,
    fragment: str | None = None,
    status_code: int = 200,
    error: AppError | None = None,
) -> HTMLResponse:
    """``template`` as an answer in the reader's language.

    When HTMX asks and ``fragment`` names a block of the template, only that block is rendered.
    A page on which somebody can mend what was refused has the status of ``error``; but HTMX puts
    only answers with status 200 into the page.

    Raises:
        AppError: ``error`` itself, if the caller is a program.
    """
    if error is not None:
        if not wants_page(request):
            raise error
        status_code = 200 if fragment is not None and is_fragment(request) else error.status_code
    language = language_of(request)
    values = {**_common(request), **context}
    page = environment(language).get_template(template)
    if fragment is not None and is_fragment(request):
        body = "".join(page.blocks[fragment](page.new_context(values)))
    else:
        body = page.render(values)
    response = HTMLResponse(body, status_code, headers={"Vary": "HX-Request, Cookie"})
    if request.query_params.get(LANGUAGE_PARAMETER) in languages():
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, samesite="lax", httponly=True
        )
    return response


def _common(request: Request) -> dict[str, Any]:
    language = language_of(request)
    cookie = request.cookies.get(SESSION_COOKIE, "")
    return {
        "language": language,
        "language_tag": language_tag(language),
        "languages": [
            (name, language_name(name), str(request.url.include_query_params(lang=name).query))
            for name in languages()
        ],
        "principal": getattr(request.state, "principal", None),
        "has_simulated_answers": getattr(request.state, "has_simulated_answers", False),
        "csrf": csrf_token(cookie) if cookie else "",
        "csrf_field": Markup('<input type="hidden" name="{}" value="{}">').format(
            CSRF_FIELD, csrf_token(cookie) if cookie else ""
        ),
        "path": request.url.path,
    }


def whole(value: int | None) -> str:
    """A count with thousands separated."""
    return "–" if value is None else f"{value:,}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def minute(value: datetime | None) -> Markup:
    """A time to the minute, in UTC."""
    if value is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(
        value.isoformat(), value.strftime("%Y-%m-%d %H:%M")
    )


def span(seconds: float) -> Message:
    """A length of time in its largest unit."""
    if seconds >= 2 * 86_400:
        return Message("{count:.0f} d", count=seconds / 86_400)
    if seconds >= 2 * 3_600:
        return Message("{count:.0f} h", count=seconds / 3_600)
    if seconds >= 2 * 60:
        return Message("{count:.0f} min", count=seconds / 60)
    return Message("{count:.0f} s", count=seconds)


@lru_cache
def environment(language: Language) -> Environment:
    """The templates with the words of ``language``."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    t = translator(language)
    made.install_gettext_callables(t, t.ngettext, newstyle=False)  # type: ignore[attr-defined]
    made.filters.update(
        whole=whole,
        percent=percent,
        minute=minute,
        span=lambda seconds: t(span(seconds)),
    )
    made.globals.update(job_names=JOB_NAMES, project_pages=PROJECT_PAGES, project_page=project_page)
    return made
