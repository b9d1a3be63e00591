"""A line that shows how far a job is."""

import sys
from typing import TextIO

from assay_client.models import Job


class ProgressLine:
    """Writes one line that changes in a terminal, and a line a change anywhere else.

    Pass it, or any function of a ``Job``, as ``on_progress``.

    Args:
        stream: None: the standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._last = ""

    def __call__(self, job: Job) -> None:
        """The line says how the job is."""
        stream = self._stream or sys.stderr
        text = f"{job.name} {job.status} {job.progress:4.0%} {job.message}".rstrip()
        if text == self._last:
            return
        if stream.isatty():
            stream.write("\r" + text.ljust(len(self._last)) + ("" if job.is_open else "\n"))
        else:
            stream.write(text + "\n")
        stream.flush()
        self._last = text


def silence(_job: Job) -> None:
    """Nothing is shown."""
