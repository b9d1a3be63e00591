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
and exit code 1, both in the reader's language.
"""

from backend.words import N_, Message

LONGEST_WORDS = 2_000
"""Characters of somebody else's error. Chosen: some have the whole statement in them."""


class AppError(Exception):
    """A fact that stops the request; ``remedy`` says what to do about it.

    Both are a ``Message`` where the words are ours, which people read in their language.
    """

    status_code = 500
    title = N_("Internal error")

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        remedy: str | None = None,
    ) -> None:
        self.message = message
        self.field = field
        self.value = value
        self.remedy = remedy
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The message and the remedy after it."""
        if self.remedy is None:
            return self.message
        return Message("{fact} {remedy}", fact=self.message, remedy=self.remedy)

    def __str__(self) -> str:
        return str(self.text)


def words_of(error: BaseException) -> str:
    """What a row keeps of an error: ours and the libraries' in words, others with their type."""
    said = Message.of_error(error)
    if isinstance(said, Message) or isinstance(error, AppError):
        return said
    return f"{type(error).__name__}: {error}"[:LONGEST_WORDS]


class NotFound(AppError):
    """The thing named does not exist."""

    status_code = 404
    title = N_("Not found")


class Conflict(AppError):
    """The present state forbids the action."""

    status_code = 409
    title = N_("Conflict")


class InvalidInput(AppError):
    """A value given by the caller is wrong; the message names field and value."""

    status_code = 422
    title = N_("Invalid input")


class UnreadableSource(InvalidInput):
    """A file or table cannot be read as what it claims to be."""

    title = N_("Unreadable source")


class NotAuthenticated(AppError):
    """No valid credentials came with the request."""

    status_code = 401
    title = N_("Not authenticated")


class NotAllowed(AppError):
    """The caller's role does not allow the action."""

    status_code = 403
    title = N_("Not allowed")


class Unavailable(AppError):
    """Something Assay depends on is away; the work is kept and tried again."""

    status_code = 503
    title = N_("Service unavailable")


class StorageFull(Unavailable):
    """There is no space left where data or models are written."""

    status_code = 507
    title = N_("Storage full")


class ConfigurationError(AppError):
    """Settings are missing, contradictory or unsafe."""

    title = N_("Configuration error")


class JobCancelled(AppError):
    """The job was asked to stop and did so at a safe point."""

    status_code = 409
    title = N_("Job cancelled")
