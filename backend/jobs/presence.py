"""Which workers live: a lock on SQLite, heartbeats everywhere.

Heartbeats compare times of several machines: their clocks must agree within
``worker_timeout_seconds``.
"""

import fcntl
import logging
import os
import socket
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from uuid import uuid4

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.settings import Settings
from backend.jobs.exceptions import WorkerConflict
from backend.jobs.worker_repository import WorkerRepository
from backend.models import Worker

logger = logging.getLogger(__name__)


def default_worker_id(settings: Settings) -> str:
    """The stable name of this worker: the setting, else a fixed one or the host's."""
    if settings.worker_id:
        return settings.worker_id
    return "embedded-worker" if settings.is_embedded_store else f"{socket.gethostname()}-worker"


class WorkerLock:
    """At most one worker process per SQLite store; the system frees it when we die."""

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(store.name + ".worker.lock")
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """This process is the store's only worker until it ends or releases.

        Raises:
            WorkerConflict: another one is; the message names its process id.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="ascii")
        try:
            # POSIX lock: unlike flock's, a forked child of ours does not keep it alive.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            file.close()
            raise WorkerConflict(
                f"A worker (process {pid}) already runs on this SQLite store; SQLite allows one.",
                field="worker",
                value=pid,
                remedy=f"Stop it (kill {pid} or assay stop), or set ASSAY_DATABASE_URL to "
                "PostgreSQL to run several workers.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Another worker may start."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Presence:
    """This worker's row: joined, kept alive, left; and which other workers are dead."""

    def __init__(
        self, database: Database, clock: Clock, settings: Settings, worker_id: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._timeout = timedelta(seconds=settings.worker_timeout_seconds)
        self._worker_id = worker_id
        self._instance = uuid4().hex
        self._from_later: dict[tuple[str, datetime], float] = {}
        self._lock = WorkerLock(Path(database.url.database or "")) if database.is_sqlite else None

    def join(self) -> None:
        """The worker id is ours; on SQLite the store is, too.

        A row that another process with our id left behind is taken over when that process
        is gone or silent for ``worker_timeout_seconds``; this waits as long as that takes.

        Raises:
            WorkerConflict: another live worker has the id, or the SQLite store.
        """
        if self._lock:
            self._lock.acquire()
        else:
            self._wait_for_id()
        now = self._clock()
        with self._database.transaction() as session:
            WorkerRepository(session).put(
                Worker(
                    id=self._worker_id,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    instance=self._instance,
                    started_at=now,
                    seen_at=now,
                )
            )

    def beat(self) -> bool:
        """We live; False if another process has taken our id: this one must stop."""
        with self._database.transaction() as session:
            return WorkerRepository(session).beat(self._worker_id, self._instance, self._clock())

    def leave(self) -> None:
        """The row is gone and the lock is free."""
        with self._database.transaction() as session:
            WorkerRepository(session).remove(self._worker_id, self._instance)
        if self._lock:
            self._lock.release()

    def dead_workers(self) -> list[Worker]:
        """Workers silent for too long; on SQLite every other one, since we hold its lock."""
        with self._database.reading() as session:
            others = WorkerRepository(session).others(self._worker_id)
        if self._lock:
            return others
        now = self._clock()
        return [worker for worker in others if self._is_dead(worker, now)]

    def forget(self, worker: Worker) -> None:
        """Drop a dead worker's row, unless it has started anew meanwhile."""
        with self._database.transaction() as session:
            WorkerRepository(session).remove(worker.id, worker.instance)

    def _is_dead(self, worker: Worker, now: datetime) -> bool:
        if worker.seen_at <= now + self._timeout:
            return worker.seen_at < now - self._timeout
        # The clock was set back since: it is dead if it gives no new sign while we watch.
        seen_first = self._from_later.setdefault(
            (worker.instance, worker.seen_at), time.monotonic()
        )
        return time.monotonic() - seen_first > self._timeout.total_seconds()

    def _wait_for_id(self) -> None:
        pause = threading.Event()
        deadline = time.monotonic() + self._timeout.total_seconds() + 2
        while (other := self._living_namesake()) is not None:
            if time.monotonic() > deadline:
                raise WorkerConflict(
                    f"Worker {self._worker_id!r} already runs as process {other.pid} "
                    f"on {other.host}.",
                    field="worker_id",
                    value=self._worker_id,
                    remedy="Stop it, or give this one another name: ASSAY_WORKER_ID.",
                )
            pause.wait(0.2)

    def _living_namesake(self) -> Worker | None:
        with self._database.reading() as session:
            other = WorkerRepository(session).get(self._worker_id)
        if other is None or self._clock() - other.seen_at > self._timeout:
            return None
        if other.host == socket.gethostname() and not _is_other_process(other.pid):
            return None
        return other


def is_working(database: Database, now: datetime, settings: Settings, pid: int) -> bool:
    """True if a worker of that process id on this host has given a sign of life lately."""
    limit = now - timedelta(seconds=settings.worker_timeout_seconds)
    with database.reading() as session:
        worker = WorkerRepository(session).on_process(socket.gethostname(), pid)
    return worker is not None and worker.seen_at >= limit


def _is_other_process(pid: int) -> bool:
    """True if a process with that id, other than this one, exists on this host."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
