"""Templates to answers: a whole page, or only a fragment of it when HTMX asks."""

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from backend.core.security import CSRF_FIELD, SESSION_COOKIE, csrf_token
from backend.web.error_words import error_message
from backend.web.job_names import JOB_NAMES
from backend.web.language import (
    LANGUAGE_COOKIE,
    LANGUAGE_NAMES,
    LANGUAGE_PARAMETER,
    LANGUAGES,
    Translate,
    language_of,
    progress_message,
    translator,
)

HERE = Path(__file__).parent
STATIC_DIR = HERE / "static"
YEAR_SECONDS = 365 * 24 * 3600


def is_fragment(request: Request) -> bool:
    """True if HTMX asks for a part of a page that is already shown."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


def render(
    request: Request,
    template: str,
    context: dict[str, Any],
    *,
    fragment: str | None = None,
    status_code: int = 200,
) -> HTMLResponse:
    """``template`` as an answer in the reader's language.

    When HTMX asks and ``fragment`` names a block of the template, only that block is rendered.
    """
    language = language_of(request)
    values = {**_common(request), **context}
    page = _environment.get_template(template)
    if fragment is not None and is_fragment(request):
        body = "".join(page.blocks[fragment](page.new_context(values)))
    else:
        body = page.render(values)
    response = HTMLResponse(body, status_code, headers={"Vary": "HX-Request, Cookie"})
    if request.query_params.get(LANGUAGE_PARAMETER) in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, samesite="lax", httponly=True
        )
    return response


def _common(request: Request) -> dict[str, Any]:
    language = language_of(request)
    cookie = request.cookies.get(SESSION_COOKIE, "")
    return {
        "t": translator(language),
        "language": language,
        "languages": [
            (name, LANGUAGE_NAMES[name], str(request.url.include_query_params(lang=name).query))
            for name in LANGUAGES
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


def span(seconds: float, t: Translate) -> str:
    """A length of time in its largest unit."""
    for unit, size in (("{count} d", 86_400), ("{count} h", 3_600), ("{count} min", 60)):
        if seconds >= 2 * size:
            return t(unit, count=f"{seconds / size:.0f}")
    return t("{count} s", count=f"{seconds:.0f}")


def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        whole=whole,
        percent=percent,
        minute=minute,
        span=span,
        progress_message=progress_message,
        error_message=error_message,
    )
    environment.globals["job_names"] = JOB_NAMES
    return environment


_environment = _make_environment()
