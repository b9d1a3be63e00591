"""What can go wrong, one class per fact.

::

    AssayError
    ├── SettingMissing        no base URL or no API key was given
    ├── PackageMissing        pandas, polars or datasets is asked for and not installed
    ├── RowsUnreadable        what was given as records is nothing that has rows
    ├── Unreachable           no answer came: no connection, a time limit, a broken answer
    ├── JobFailed             a job that was waited for failed or was cancelled
    ├── JobStillRunning       the time to wait for a job is over
    └── Problem               the server refused, and says why (RFC 9457)
        ├── InvalidInput      400, 413, 422: a value is wrong
        ├── NotAuthenticated  401: the key is missing, unknown or revoked
        ├── NotAllowed        403: the key's role does not allow it
        ├── NotFound          404: there is no such thing
        ├── Conflict          409: the present state forbids it
        ├── TooManyRequests   429
        └── ServerTrouble     500 and above: it is not the caller's fault
"""

from typing import TYPE_CHECKING, Any

import httpx
from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from assay_client.models import Job


class AssayError(Exception):
    """Anything that this package raises on purpose."""


class SettingMissing(AssayError):
    """The base URL or the API key was neither given nor in the environment."""


class PackageMissing(AssayError):
    """An optional package is needed for what was asked."""

    def __init__(self, package: str) -> None:
        super().__init__(f"This needs {package}: pip install 'assay-client[{package}]'.")
        self.package = package


class RowsUnreadable(AssayError):
    """What was given as records has no rows that could be sent."""


class Unreachable(AssayError):
    """No usable answer came from the server; whether it did the work is not known."""


class JobFailed(AssayError):
    """The job ended without success; ``job`` is its last state."""

    def __init__(self, job: "Job") -> None:
        super().__init__(f"Job {job.id} has {job.status}: {job.error or 'it does not say why'}")
        self.job = job


class JobStillRunning(AssayError):
    """The job had not ended in time; it goes on. ``job`` is its last state."""

    def __init__(self, job: "Job", seconds: float) -> None:
        super().__init__(f"Job {job.id} is {job.status} after {seconds:g} seconds; it goes on.")
        self.job = job


class FieldProblem(BaseModel):
    """One wrong field of several."""

    field: str | None = None
    value: Any = None
    detail: str = ""


class ProblemDetails(BaseModel):
    """The body of a refusal, as RFC 9457 has it and Assay extends it."""

    type: str = "about:blank"
    title: str = ""
    status: int
    detail: str = ""
    field: str | None = None
    value: Any = None
    remedy: str | None = None
    errors: list[FieldProblem] | None = None
    request_id: str | None = None


class Problem(AssayError):
    """The server refused. Its text names the fact, the field and the remedy.

    Attributes:
        status: the HTTP status.
        type: identifies the kind of problem, such as ``urn:assay:problem:not-found``.
        title: the kind of problem in words.
        detail: what is wrong this time.
        field: where the wrong value was, or None.
        value: the wrong value, shortened, or None.
        remedy: what to do about it, or None.
        errors: every wrong field, where there are several.
        request_id: finds the request in the server's log.
        retry_after: seconds after which the server asks to be tried again, or None.
    """

    def __init__(self, details: ProblemDetails, retry_after: float | None = None) -> None:
        self.status, self.type, self.title = details.status, details.type, details.title
        self.detail, self.field, self.value = details.detail, details.field, details.value
        self.remedy, self.errors = details.remedy, details.errors or []
        self.request_id, self.retry_after = details.request_id, retry_after
        place = f" [{self.field}={self.value!r}]" if self.field else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        super().__init__(f"{self.status} {self.detail or self.title}{place}{remedy}")


class InvalidInput(Problem):
    """A value that was sent is wrong: ``field``, ``value`` and ``remedy`` say which."""


class NotAuthenticated(Problem):
    """The API key is missing, unknown or revoked."""


class NotAllowed(Problem):
    """The API key's role does not allow it."""


class NotFound(Problem):
    """There is no such thing."""


class Conflict(Problem):
    """The present state forbids it: a name is taken, something else is going on."""


class TooManyRequests(Problem):
    """Too much was asked at once; ``retry_after`` says when to ask again."""


class ServerTrouble(Problem):
    """The server could not do it, and it is not the caller's fault."""


_CLASSES: dict[int, type[Problem]] = {
    400: InvalidInput,
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: InvalidInput,
    422: InvalidInput,
    429: TooManyRequests,
}


def problem_of(response: httpx.Response) -> Problem:
    """The refusal that ``response`` is; a body that is no problem details is quoted."""
    try:
        details = ProblemDetails.model_validate_json(response.content)
    except ValidationError:
        text = response.text.strip()[:200]
        details = ProblemDetails(
            status=response.status_code,
            title=response.reason_phrase,
            detail=f"{response.reason_phrase or 'no reason'}: {text}" if text else "",
        )
    fallback = ServerTrouble if response.status_code >= 500 else Problem
    return _CLASSES.get(response.status_code, fallback)(details, retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of the ``Retry-After`` header; None without one, or where it is a date."""
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isdecimal() else None
