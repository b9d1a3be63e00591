"""The lock on a file by which one process at most is the worker of a SQLite store."""

import os
from pathlib import Path

import psutil
from filelock import FileLock, Timeout
from sqlalchemy import URL

from backend.jobs.exceptions import WorkerConflict
from backend.words import Message

TRY_SECONDS = 0.25
"""Whoever only looks whether the lock is held has it for some microseconds himself. Chosen: many
looks of others in a row do not happen."""


def lock_of(store: URL) -> Path:
    """The lock's file, beside the store's."""
    path = Path(store.database or "").absolute()
    return path.with_name(path.name + ".worker.lock")


class WorkerLock:
    """At most one worker process per SQLite store; the system frees it when we die."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _lock(path)

    def acquire(self) -> None:
        """This process is the store's only worker until it ends or releases.

        Raises:
            WorkerConflict: another one is; the message names its process id.
        """
        try:
            self._lock.acquire(timeout=TRY_SECONDS)
        except Timeout:
            pid = self.path.read_text(encoding="ascii").strip() or "unknown"
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
            ) from None
        self.path.write_text(str(os.getpid()), encoding="ascii")

    def release(self) -> None:
        """Another worker may start."""
        self._lock.release()


def holder_of(path: Path) -> int | None:
    """The process that holds the lock; None if nobody does."""
    if not path.exists():
        return None
    try:
        with _lock(path).acquire(blocking=False):
            return None
    except Timeout:
        written = path.read_text(encoding="ascii").strip()
        # Another who looks has the lock for a moment too; the id is a dead worker's then.
        return int(written) if written.isdigit() and psutil.pid_exists(int(written)) else None
    except OSError:
        return None


def _lock(path: Path) -> FileLock:
    # It is the process's, whichever of its threads takes or releases it.
    return FileLock(path, thread_local=False, is_singleton=False)
