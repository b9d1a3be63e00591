"""The lock on a file by which one process at most is the worker of a SQLite store."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from backend.jobs.exceptions import WorkerConflict
from backend.words import Message

TRIES = 5
"""Chosen: five looks of others in a row do not happen."""
TRY_SECONDS = 0.05
"""Whoever only looks whether the lock is held has it for some microseconds himself."""

_held: set[Path] = set()


def lock_of(store: URL) -> Path:
    """The lock's file, beside the store's."""
    path = Path(store.database or "").absolute()
    return path.with_name(path.name + ".worker.lock")


class WorkerLock:
    """At most one worker process per SQLite store; the system frees it when we die."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """This process is the store's only worker until it ends or releases.

        Raises:
            WorkerConflict: another one is; the message names its process id.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="ascii")
        # POSIX lock: unlike flock's, a forked child of ours does not keep it alive.
        if not any(_is_locked(file, fcntl.LOCK_EX, TRY_SECONDS) for _ in range(TRIES)):
            file.seek(0)
            pid = file.read().strip() or "unknown"
            file.close()
            raise WorkerConflict(
                Message(
                    "A worker (process {pid}) already runs on this SQLite store; SQLite "
                    "allows one.",
                    pid=pid,
                ),
                field="worker",
                value=pid,
                remedy=Message(
                    "Stop it (kill {pid} or assay stop), or set ASSAY_DATABASE_URL to "
                    "PostgreSQL to run several workers.",
                    pid=pid,
                ),
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        _held.add(self.path)

    def release(self) -> None:
        """Another worker may start."""
        if self._file is not None:
            self._file.close()
            self._file = None
            _held.discard(self.path)


def holder_of(path: Path) -> int | None:
    """The process that holds the lock; None if nobody does."""
    if path in _held:  # opening and closing the file here would free our own lock
        return os.getpid()
    try:
        with path.open(encoding="ascii") as file:
            if _is_locked(file, fcntl.LOCK_SH):
                return None
            written = file.read().strip()
    except OSError:
        return None
    return int(written) if written.isdigit() else None


def _is_locked(file: IO[str], kind: int, pause: float = 0.0) -> bool:
    """True if the lock is ours now."""
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB)
    except OSError:
        time.sleep(pause)
        return False
    return True
