"""What wakes a worker when there may be a job, without asking the store again and again.

A bell may ring for nothing and may, in an accident, not ring at all: whoever waits looks for
himself from time to time (``engine.LOOK_SECONDS``).
"""

import logging
import threading
from contextlib import closing
from typing import Any, Protocol, cast

from backend.core.database import Database
from backend.jobs.doorbell_repository import announcements, data_version, listen

SQLITE_LOOK_SECONDS = 0.05
"""Of a second's 20 looks each takes some 20 us: 0.05 % of a core, for half of it as latency."""
LISTEN_SECONDS = 1.0
"""How late a listening thread notices that it is to end; no request is made meanwhile."""
RECONNECT_SECONDS = 1.0
"""Chosen: jobs are looked for without the bell meanwhile."""

logger = logging.getLogger(__name__)


class Doorbell(Protocol):
    """Rung by commits to the store, and by this process for itself."""

    def ring(self) -> None:
        """``wait`` returns; the next one does if nobody waits now."""

    def wait(self, seconds: float) -> None:
        """Until it rings, but not longer."""

    def close(self) -> None:
        """It does not ring by itself any more."""


def doorbell_of(database: Database) -> Doorbell:
    """The bell of that store."""
    return SqliteDoorbell(database) if database.is_sqlite else PostgresDoorbell(database)


class SqliteDoorbell:
    """Looks at a counter in the file's shared memory that every commit changes."""

    def __init__(self, database: Database) -> None:
        self._rung = threading.Event()
        self._held = database.engine.raw_connection()
        self._held.detach()  # for good: the pool's are for those who give them back
        self._connection = self._held.dbapi_connection
        self._seen = data_version(self._connection)

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> None:
        looks = max(1, round(seconds / SQLITE_LOOK_SECONDS))
        for _ in range(looks):
            version = data_version(self._connection)
            if version != self._seen:
                self._seen = version
                break
            if self._rung.wait(seconds / looks):
                break
        self._rung.clear()

    def close(self) -> None:
        self._held.close()


class PostgresDoorbell:
    """Listens to what enqueuing transactions announce, on a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="doorbell", daemon=True)
        self._thread.start()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> None:
        self._rung.wait(seconds)
        self._rung.clear()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(2 * LISTEN_SECONDS)

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                held = self._database.engine.raw_connection()
                held.detach()
                with closing(held):
                    connection = cast(Any, held.dbapi_connection)
                    connection.autocommit = True
                    listen(connection)
                    self._rung.set()  # for what came before
                    while not self._closed.is_set():
                        for _ in announcements(connection, LISTEN_SECONDS):
                            self._rung.set()
            except Exception as error:
                logger.warning("not told of new jobs, looking for them: %s", error)
                self._closed.wait(RECONNECT_SECONDS)
