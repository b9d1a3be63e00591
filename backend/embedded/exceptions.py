"""Errors of the embedded stack."""

from backend.core.exceptions import AppError


class StackNotStarted(AppError):
    """A process of the embedded stack did not come up."""

    title = "Stack not started"
