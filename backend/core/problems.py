"""Errors as RFC 9457 problem details (``application/problem+json``)."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.exc import DataError, IntegrityError
from starlette.exceptions import HTTPException

from backend.core.allowed_methods import allowed_methods
from backend.core.exceptions import AppError
from backend.core.language import language_of
from backend.core.logging import current_ids
from backend.words import N_, SOURCE_LANGUAGE, Language, Translate, language_tag, translator

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("assay.http")
MAX_VALUE_LENGTH = 200
"""Characters of a value that an error repeats. Chosen: it stays readable."""
MAX_LENGTH = 1_000
"""Characters of a sentence that repeats values. Chosen: as much is read."""
MAX_ERRORS = 50
"""Wrong fields that are listed. Chosen: who mends them sees the next ones."""

UNSTORABLE = (OverflowError, UnicodeEncodeError, DataError)
"""What drivers raise for an id of 20 digits, and for half a character."""
SAFE_DIGITS = 18
"""So many digits fit into 64 bits, which ids have."""

HtmlPage = Callable[[Request, "Problem"], Response | None]


class Problem(BaseModel):
    """What went wrong, where, and what to do about it (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:assay:problem:invalid-input",
                    "title": "Invalid input",
                    "status": 422,
                    "detail": "batch_size must be at least 1.",
                    "field": "policy.batch_size",
                    "value": 0,
                    "remedy": "Send a whole number from 1 to 1000.",
                    "request_id": "5f0c6a1d2b3e4f50",
                }
            ]
        }
    )

    type: str = Field("about:blank", description="identifies the kind of problem")
    title: str = Field(description="the kind of problem, in words")
    status: int = Field(description="HTTP status")
    detail: str = Field(description="what is wrong this time")
    field: str | None = Field(None, description="where the wrong value was")
    value: Any = Field(None, description="the wrong value, shortened")
    remedy: str | None = Field(None, description="what to do about it")
    errors: list[dict[str, Any]] | None = Field(
        None, description="every wrong field, where there are several"
    )
    request_id: str | None = Field(None, description="finds the request in the logs")

    @model_validator(mode="before")
    @classmethod
    def can_be_sent(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Half a character, which JSON can carry and UTF-8 cannot, is shown as a question mark,
        and what is too long to be read ends early."""
        return {name: _sendable(value) for name, value in values.items()}


def problem_of(error: Exception, language: Language = SOURCE_LANGUAGE) -> Problem:
    """The problem details of any error; unexpected ones tell nothing of the inside."""
    t, request_id = translator(language), current_ids().get("request_id")
    if isinstance(error, AppError) and error.status_code != 500:
        return Problem(
            type=type_of(error.title),
            title=t(error.title),
            status=error.status_code,
            detail=t(error.message),
            field=error.field,
            value=_short(error.value),
            remedy=t(error.remedy) if error.remedy else None,
            request_id=request_id,
        )
    if isinstance(error, RequestValidationError):
        return _validation_problem(error, t, request_id)
    if isinstance(error, HTTPException):
        return Problem(
            title=t(HTTP_TITLES.get(error.status_code, OTHER_TITLE)),
            status=error.status_code,
            detail=t(_HTTP_DETAILS.get(str(error.detail), str(error.detail))),
            request_id=request_id,
        )
    if isinstance(error, IntegrityError) and _is_taken(error):
        return _plain(
            t,
            409,
            N_("Somebody else did the same at the same time."),
            N_("Look at what is there now; send it again if it is still wanted."),
        )
    if isinstance(error, UNSTORABLE):
        return _plain(
            t,
            422,
            N_("A number or a text of the request is nothing that the store can hold."),
            N_("Check the numbers and characters in the address and in what was sent."),
        )
    return _plain(
        t,
        500,
        N_("Something unexpected went wrong; it is in the server's log."),
        N_("Tell an administrator the request id."),
    )


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """``problem`` as an HTTP answer."""
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status, headers=headers, media_type=MEDIA_TYPE)


def install_problem_handlers(app: FastAPI, html_page: HtmlPage | None = None) -> None:
    """Every error of ``app`` becomes problem details, or a page where ``html_page`` makes one."""

    def answer(request: Request, error: Exception) -> Response:
        language = language_of(request)
        problem = problem_of(error, language)
        if isinstance(error, UNSTORABLE) and _names_nothing(request):
            problem = problem_of(HTTPException(404), language)
        elif isinstance(error, UNSTORABLE):
            log.warning("the store refused a value", exc_info=error)  # ours, if not the caller's
        if isinstance(error, IntegrityError):
            level = logging.ERROR if problem.status == 500 else logging.WARNING
            log.log(level, "the store refused what contradicts it", exc_info=error)
        page = html_page(request, problem) if html_page else None
        if page is not None:
            return page
        headers = dict(getattr(error, "headers", None) or {})
        headers |= {"Content-Language": language_tag(language), "Vary": "Accept-Language, Cookie"}
        if problem.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if problem.status == 405:
            headers["Allow"] = allowed_methods(request)
        if problem.status in (503, 507):
            headers["Retry-After"] = "10"
        return problem_response(problem, headers)

    for kind in (AppError, RequestValidationError, HTTPException, IntegrityError, *UNSTORABLE):
        app.add_exception_handler(kind, answer)


def _plain(t: Translate, status: int, detail: str, remedy: str) -> Problem:
    """The problem of a kind that has no field to name."""
    title = HTTP_TITLES[status]
    return Problem(
        type=type_of(title),
        title=t(title),
        status=status,
        detail=t(detail),
        remedy=t(remedy),
        request_id=current_ids().get("request_id"),
    )


def _names_nothing(request: Request) -> bool:
    """True if the address itself holds what the store cannot: no row is called so."""
    return any(
        "\x00" in value or (value.lstrip("-").isdecimal() and len(value) > SAFE_DIGITS)
        for value in map(str, request.path_params.values())
    )


def _is_taken(error: IntegrityError) -> bool:
    """True if a unique key is there already, as when the same comes twice at once."""
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", "")
    return state in ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


def _validation_problem(
    error: RequestValidationError, t: Translate, request_id: str | None
) -> Problem:
    errors = [
        {
            "field": _field_of(item["loc"]),
            "value": _public_value(item["loc"], item.get("input")),
            "detail": item["msg"],
        }
        for item in error.errors()[:MAX_ERRORS]
    ]
    first = errors[0]
    return Problem(
        type=type_of("invalid input"),
        title=t(HTTP_TITLES[422]),
        status=422,
        detail=f"{first['field']}: {first['detail']}",
        field=first["field"],
        value=first["value"],
        remedy=t(
            N_("Correct the named field and send the request again; /docs shows what it accepts.")
        ),
        errors=errors if len(errors) > 1 else None,
        request_id=request_id,
    )


def _field_of(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location]
    return ".".join(parts[1:] if parts[0] in {"body", "query", "path"} else parts) or parts[0]


def _public_value(location: tuple[int | str, ...], value: object) -> Any:
    """The value, unless it is secret or the whole body (of which one field is missing)."""
    is_secret = any(word in str(location[-1]).lower() for word in _SECRET_WORDS)
    return None if is_secret or isinstance(value, dict | list) else _short(value)


def _short(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else str(jsonable_encoder(value, custom_encoder=_TEXT))
    return _cut(text, MAX_VALUE_LENGTH)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _sendable(value: Any) -> Any:
    if isinstance(value, str):
        return _cut(value.encode("utf-8", "replace").decode(), MAX_LENGTH)
    if isinstance(value, list):
        return [_sendable(each) for each in value]
    if isinstance(value, dict):
        return {_sendable(name): _sendable(each) for name, each in value.items()}
    return value


def type_of(title: str) -> str:
    """What identifies the kind of problem with that title."""
    return f"urn:assay:problem:{title.lower().replace(' ', '-')}"


_SECRET_WORDS = ("password", "secret", "token", "key")
_TEXT: dict[Any, Callable[[Any], Any]] = {bytes: lambda value: value.decode(errors="replace")}
OTHER_TITLE = N_("Error")
HTTP_TITLES = {
    400: N_("Unreadable body"),
    401: N_("Not authenticated"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Method not allowed"),
    409: N_("Conflict"),
    413: N_("Too large"),
    422: N_("Invalid input"),
    429: N_("Too many attempts"),
    500: N_("Internal error"),
    503: N_("Service unavailable"),
    507: N_("Storage full"),
}
_HTTP_DETAILS = {  # what Starlette says, in words that help
    "Not Found": N_("There is nothing at this address."),
    "Method Not Allowed": N_("This address cannot be used that way."),
    "There was an error parsing the body": N_("The body is not what its Content-Type says."),
}
