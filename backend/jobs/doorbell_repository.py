"""How a store tells that something in it has changed, on either database."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

CHANNEL = "assay_jobs"


def announce(session: Session) -> None:
    """Whoever listens is told when the transaction commits; SQLite's watchers see the commit."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"NOTIFY {CHANNEL}"))


def data_version(connection: Any) -> int:
    """A number that another one's commit to this SQLite file changes; takes microseconds.

    ``connection`` is the driver's own, outside any transaction.
    """
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def listen(connection: Any) -> None:
    """Announcements made from now on reach this connection: psycopg's own, in autocommit."""
    connection.execute(f"LISTEN {CHANNEL}")


def announcements(connection: Any, seconds: float) -> Iterator[None]:
    """One for each announcement that has reached the connection, or does within ``seconds``."""
    for _ in connection.notifies(timeout=seconds):
        yield None
