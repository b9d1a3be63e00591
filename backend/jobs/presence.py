"""Which workers live: each holds a lock that goes with it, and writes nothing to stay alive.

On SQLite the lock is on a file beside the store: the system frees it when the process ends, and
there is one worker only. On PostgreSQL it is an advisory lock of a session: the server frees it
when the connection ends, be it because the process died, or because it has been silent for half
of ``worker_timeout_seconds`` (``idle_session_timeout``), as one is that was suspended or cut off.
No clocks are compared. Connections go to the server itself or through a pooler that keeps sessions.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.settings import Settings
from backend.jobs.exceptions import WorkerConflict
from backend.jobs.worker_lock import WorkerLock, holder_of, lock_of
from backend.jobs.worker_repository import PresenceSession, WorkerRepository, ids_alive
from backend.models import Worker
from backend.words import Message

JOIN_LOOK_SECONDS = 0.2
"""How late it is noticed that a name is free. Chosen."""
JOIN_GRACE_SECONDS = 2.0
"""A name is free after the timeout at the latest; so long for the server to notice it."""

logger = logging.getLogger(__name__)


def default_worker_id(settings: Settings) -> str:
    """The stable name of this worker: the setting, else a fixed one or the host's."""
    if settings.worker_id:
        return settings.worker_id
    return "embedded-worker" if settings.is_embedded_store else f"{socket.gethostname()}-worker"


class Presence:
    """This worker's row and lock: joined, kept, left; and which other workers are dead."""

    def __init__(
        self, database: Database, clock: Clock, settings: Settings, worker_id: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._timeout = settings.worker_timeout_seconds
        self._worker_id = worker_id
        self._instance = uuid4().hex
        self._missing_since: dict[str, float] = {}
        self._session: PresenceSession | None = None
        self._lock = WorkerLock(lock_of(database.url)) if database.is_sqlite else None

    @property
    def is_silent(self) -> bool:
        """True if living takes no ``beat``: on SQLite, whose only worker holds the file's lock."""
        return self._lock is not None

    def join(self) -> None:
        """The worker id is ours; on SQLite the store is, too.

        A namesake that is dead or suspended has lost its lock after ``worker_timeout_seconds``
        at the latest; this waits as long as that takes.

        Raises:
            WorkerConflict: another live worker has the id, or the SQLite store.
        """
        if self._lock:
            self._lock.acquire()
        else:
            self._wait_for_id()
        with self._database.transaction() as session:
            WorkerRepository(session).put(
                Worker(
                    id=self._worker_id,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    instance=self._instance,
                    started_at=self._clock(),
                )
            )

    def beat(self) -> bool:
        """We live; False if another process has taken our id or our jobs: this one must stop.

        To be called more often than twice in ``worker_timeout_seconds``; a lost session is
        replaced by a new one.
        """
        if self._lock:
            return True
        try:
            if self._session is None and not self._open_session():
                return self._is_known()
            assert self._session is not None
            return self._session.is_known(self._worker_id, self._instance)
        except DBAPIError:
            self._close_session()
            if not self._open_session():
                logger.warning("the lock of worker %s is not free yet", self._worker_id)
            return self._is_known()

    def leave(self) -> None:
        """The row is gone and the lock is free."""
        with self._database.transaction() as session:
            WorkerRepository(session).remove(self._worker_id, self._instance)
        self._close_session()
        if self._lock:
            self._lock.release()

    def dead_workers(self) -> list[Worker]:
        """Workers without their lock for too long; on SQLite every other one: we hold the lock.

        Half of the timeout lets those reconnect whom the server itself has cut off.
        """
        with self._database.reading() as session:
            others = WorkerRepository(session).others(self._worker_id)
            alive = set() if self._lock else ids_alive(session, others)
        if self._lock:
            return others
        now = time.monotonic()
        self._missing_since = {
            worker.instance: self._missing_since.get(worker.instance, now)
            for worker in others
            if worker.id not in alive
        }
        return [
            worker
            for worker in others
            if now - self._missing_since.get(worker.instance, now) > self._timeout / 2
        ]

    def forget(self, worker: Worker) -> None:
        """Drop a dead worker's row, unless it has started anew meanwhile."""
        with self._database.transaction() as session:
            WorkerRepository(session).remove(worker.id, worker.instance)

    def _open_session(self) -> bool:
        session = PresenceSession(self._database, silence_seconds=self._timeout / 2)
        if not session.lock(self._worker_id):
            session.close()
            return False
        self._session = session
        return True

    def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _is_known(self) -> bool:
        with self._database.reading() as session:
            worker = WorkerRepository(session).get(self._worker_id)
        return worker is not None and worker.instance == self._instance

    def _wait_for_id(self) -> None:
        pause = threading.Event()
        deadline = time.monotonic() + self._timeout + JOIN_GRACE_SECONDS
        while not self._open_session():
            if time.monotonic() > deadline:
                with self._database.reading() as session:
                    other = WorkerRepository(session).get(self._worker_id)
                raise WorkerConflict(
                    Message(
                        "Worker {worker!r} already runs as process {pid} on {host}.",
                        worker=self._worker_id,
                        pid=other.pid,
                        host=other.host,
                    )
                    if other
                    else Message(
                        "Worker {worker!r} already runs as another process.", worker=self._worker_id
                    ),
                    field="worker_id",
                    value=self._worker_id,
                    remedy=Message("Stop it, or give this one another name: ASSAY_WORKER_ID."),
                )
            pause.wait(JOIN_LOOK_SECONDS)


def living_workers(session: Session, workers: Sequence[Worker]) -> set[str]:
    """Ids of those of the workers that hold their lock now."""
    url = session.get_bind().engine.url
    if url.get_backend_name() != "sqlite":
        return ids_alive(session, workers)
    pid = holder_of(lock_of(url))
    return {worker.id for worker in workers if worker.pid == pid}


def is_working(database: Database, pid: int) -> bool:
    """True if the process of that id on this host is a living worker of the store."""
    with database.reading() as session:
        worker = WorkerRepository(session).on_process(socket.gethostname(), pid)
        return worker is not None and worker.id in living_workers(session, [worker])
