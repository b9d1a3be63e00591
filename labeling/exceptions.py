"""Errors of labelling, one class per fact.

::

    LabelingError
    ├── LabelSchemaInvalid        a label schema cannot be used: field, value, remedy
    ├── LabelConfigInvalid        the labelling config built from it does not hold together
    ├── MalformedWebhook          a webhook body is not a Label Studio event
    ├── MalformedTasks            a request for predictions has no tasks as Label Studio sends them
    ├── LabelStudioUnavailable    no answer, a time-out or a 5xx: try again later
    │   └── PushInterrupted       a push ended midway: run it again, it looks up what is there
    ├── LabelStudioRefused        a 4xx: trying again changes nothing
    └── LabelStudioNotStarted     the embedded server did not come up
        └── OtherToken            its admin has another API token than the one given
"""

from labeling.words import Words


class LabelingError(Exception):
    """Base of every error of this package.

    Its first argument is ``Words``, which whoever shows it may translate, or a text; ``str`` of
    the error is the English one.
    """


class LabelSchemaInvalid(LabelingError):
    """A label schema cannot be used; the message names field, value and remedy."""


class LabelConfigInvalid(LabelingError):
    """The labelling config does not hold together."""


class MalformedWebhook(LabelingError):
    """A webhook body is not a Label Studio event."""


class MalformedTasks(LabelingError):
    """A request for predictions has no tasks as Label Studio sends them."""


class LabelStudioUnavailable(LabelingError):
    """Label Studio gave no answer, timed out or answered with a 5xx: ``status``, else None."""

    def __init__(self, message: Words | str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class PushInterrupted(LabelStudioUnavailable):
    """A push ended midway with unknown outcome; ``pushed`` is what is certain.

    Running the push again is safe: it looks up by key what Label Studio holds.
    """

    def __init__(self, message: Words | str, pushed: dict[str, int]) -> None:
        super().__init__(message)
        self.pushed = pushed


class LabelStudioRefused(LabelingError):
    """Label Studio refused the request; ``status`` is its HTTP status."""

    def __init__(self, message: Words | str, status: int) -> None:
        super().__init__(message)
        self.status = status


class LabelStudioNotStarted(LabelingError):
    """The embedded server did not come up; the message names the log file."""


class OtherToken(LabelStudioNotStarted):
    """The server's admin has another API token than the one given: ``token``."""

    def __init__(self, message: Words | str, token: str) -> None:
        super().__init__(message)
        self.token = token
