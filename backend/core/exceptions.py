"""Errors of the application, one class per fact.

::

    AppError
    ├── NotFound              the thing named does not exist                      404
    ├── Conflict              the state forbids it (name taken, already running)  409
    ├── InvalidInput          a value of the caller is wrong: field, value, remedy 422
    │   └── UnreadableSource  a file or table cannot be read as what it claims    422
    ├── NotAuthenticated      nobody is logged in                                 401
    ├── NotAllowed            the role does not allow it                          403
    ├── Unavailable           something we depend on is away; we retry            503
    │   └── StorageFull       no space left where data or models are written      507
    ├── ConfigurationError    settings are missing or unsafe                      500
    └── JobCancelled          the job was asked to stop                           409

Services raise these; the API turns them into problem details, the CLI into one line
and exit code 1.
"""


class AppError(Exception):
    """A fact that stops the request; ``remedy`` says what to do about it."""

    status_code = 500
    title = "Internal error"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = value
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else self.message


class NotFound(AppError):
    """The thing named does not exist."""

    status_code = 404
    title = "Not found"


class Conflict(AppError):
    """The present state forbids the action."""

    status_code = 409
    title = "Conflict"


class InvalidInput(AppError):
    """A value given by the caller is wrong; the message names field and value."""

    status_code = 422
    title = "Invalid input"


class UnreadableSource(InvalidInput):
    """A file or table cannot be read as what it claims to be."""

    title = "Unreadable source"


class NotAuthenticated(AppError):
    """No valid credentials came with the request."""

    status_code = 401
    title = "Not authenticated"


class NotAllowed(AppError):
    """The caller's role does not allow the action."""

    status_code = 403
    title = "Not allowed"


class Unavailable(AppError):
    """Something Assay depends on is away; the work is kept and tried again."""

    status_code = 503
    title = "Service unavailable"


class StorageFull(Unavailable):
    """There is no space left where data or models are written."""

    status_code = 507
    title = "Storage full"


class ConfigurationError(AppError):
    """Settings are missing, contradictory or unsafe."""

    title = "Configuration error"


class JobCancelled(AppError):
    """The job was asked to stop and did so at a safe point."""

    status_code = 409
    title = "Job cancelled"
