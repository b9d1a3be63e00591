"""Errors of the embedded stack."""

from backend.core.exceptions import AppError
from backend.words import N_


class StackNotStarted(AppError):
    """A process of the embedded stack did not come up."""

    title = N_("Stack not started")
