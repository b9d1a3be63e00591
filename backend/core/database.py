"""Engine and transactions; the same code on SQLite and PostgreSQL."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

BUSY_TIMEOUT_MS = 30_000
"""Chosen: above any write of ours, which end in turns (``core.turns``)."""
EAGER_SECONDS, PATIENT_SECONDS = 0.001, 0.01
"""How often it is asked whether SQLite's write lock is free, by those whom somebody waits for, and
by background work. SQLite itself asks ever less often, up to every 100 ms, so that whoever waits
longest gets it last: with a busy worker, 1 of 40 webhooks waited for more than a second
(``benchmarks.webhook_under_load``)."""
READ_ONLY = "assay_read_only"

Guard = Callable[[Session], None]


class Database:
    """The store's engine. Writers take ``transaction()``, readers ``reading()``.

    On SQLite a transaction takes the write lock at its start (``BEGIN IMMEDIATE``): a
    deferred lock that is upgraded midway fails at once instead of waiting.
    """

    lock_poll_seconds = EAGER_SECONDS

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        if self.is_sqlite:
            if self.url.database and self.url.database != ":memory:":
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
            _configure_sqlite(self.engine, lambda: self.lock_poll_seconds)
        else:
            self.engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"), pool_pre_ping=True
            )
        self._readers = self.engine.execution_options(**{READ_ONLY: True})
        self._guard: ContextVar[Guard | None] = ContextVar("guard", default=None)

    def let_others_go_first(self) -> None:
        """Of those who wait to write to SQLite, this process is the last from now on."""
        self.lock_poll_seconds = PATIENT_SECONDS

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded store."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One unit of work: committed when the block ends, rolled back when it raises."""
        with self.unguarded_transaction() as session:
            yield session
            guard = self._guard.get()
            if guard is not None:
                guard(session)

    @contextmanager
    def unguarded_transaction(self) -> Iterator[Session]:
        """A transaction that no guard is asked about, for what is kept whoever holds the job."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def commit_guard(self, guard: Guard) -> Iterator[None]:
        """Inside, in this thread, ``transaction()`` commits only if ``guard`` does not raise.

        It is the transaction's last call, so that what it locks is locked briefly.
        """
        token = self._guard.set(guard)
        try:
            yield
        finally:
            self._guard.reset(token)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view; nothing written in it is kept."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def rehearsal(self) -> Iterator[Session]:
        """A transaction of which nothing is kept, however long, and which keeps nobody waiting.

        On SQLite, where one writer keeps out all others, it is one on a copy of the store.
        """
        if not self.is_sqlite:
            with Session(self.engine, expire_on_commit=False) as session:
                yield session
            return
        with TemporaryDirectory(prefix="assay-rehearsal-") as folder:
            path = Path(folder) / "copy.sqlite3"
            connection = self.engine.raw_connection()  # VACUUM runs in no transaction
            try:
                connection.cursor().execute("VACUUM INTO ?", (str(path),))
            finally:
                connection.close()
            copy = Database(URL.create("sqlite", database=str(path)).render_as_string())
            try:
                with Session(copy.engine, expire_on_commit=False) as session:
                    yield session
            finally:
                copy.dispose()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _configure_sqlite(engine: Engine, poll_seconds: Callable[[], float]) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READ_ONLY, False):
            connection.exec_driver_sql("BEGIN")
            return
        deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        while not _begin_writing(connection, is_last_try=time.monotonic() > deadline):
            time.sleep(poll_seconds())


def _begin_writing(connection: Connection, *, is_last_try: bool) -> bool:
    """True if the transaction has the write lock; False if another has it.

    Raises:
        OperationalError: another has it, and this was the last try.
    """
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        is_held = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        if is_last_try or not is_held:
            raise
        return False
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return True
