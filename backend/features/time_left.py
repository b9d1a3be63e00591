"""Progress of a long reading, with the time that is left."""

import time
from collections.abc import Callable

from backend.words import Message, Progress, Worded

FIRST_ESTIMATE_SECONDS = 5.0
"""Before, the pace of the first records says little: an encoder loads, a disk wakes up. Chosen."""


class TimeLeft:
    """Tells a job's progress, and from the pace so far how long the rest takes."""

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._clock = progress, clock
        self._begun = clock()

    def __call__(self, share: float, message: str | Worded) -> None:
        """``share`` is of all that is timed, from 0 to 1."""
        spent = self._clock() - self._begun
        if share > 0 and spent >= FIRST_ESTIMATE_SECONDS:
            message = Message(
                "{doing}; {left}", doing=message, left=time_left(spent / share - spent)
            )
        self._progress(share, message)


def time_left(seconds: float) -> Message:
    """So long in words.

    >>> time_left(200)
    'about 4 minutes left'
    """
    if seconds < 60:
        return Message("less than a minute left")
    minutes = -int(-seconds // 60)
    return Message.ngettext("about {n} minute left", "about {n} minutes left", n=minutes)
