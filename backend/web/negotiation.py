"""Whether the caller is a browser that shows pages, or a program that reads problems."""

from fastapi import Request

PROGRAM_PATHS = ("/api/", "/health", "/webhooks/")
"""What the OpenAPI document describes: whoever asks there is a program."""
PAGE_TYPE = "text/html"
PROBLEM_TYPES = ("application/problem+json", "application/json")


def wants_page(request: Request) -> bool:
    """True if problems are to be shown as pages: HTMX asks, or a caller that takes HTML and does
    not prefer JSON. Who takes anything, as programs do by default, gets problem details."""
    if request.url.path.startswith(PROGRAM_PATHS):
        return False
    if "HX-Request" in request.headers:
        return True
    accepted = _qualities(request.headers.get("Accept", ""))
    page = accepted.get(PAGE_TYPE, accepted.get("text/*", 0.0))
    return page > 0 and page >= max(accepted.get(each, 0.0) for each in PROBLEM_TYPES)


def _qualities(accept: str) -> dict[str, float]:
    """The media types of an ``Accept`` header with their weights (RFC 9110, 12.4.2)."""
    found: dict[str, float] = {}
    for part in accept.split(","):
        media_type, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            found[media_type] = float(quality)
        except ValueError:
            continue
    return found
