"""Which external ids a source has had already, in bounded memory."""

import sqlite3
from types import TracebackType
from typing import Self

CACHE_KIB = 48 * 1024
"""Chosen: most look-ups find their page in memory; the rest lies on disk."""


class FirstLines:
    """The line on which each external id came first.

    Kept in a private temporary SQLite file that grows on disk, not in memory, and is gone
    with the object.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self._connection.execute(
            "CREATE TABLE first_line (id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID"
        )
        self._connection.execute("BEGIN")
        self._cursor = self._connection.cursor()

    def note(self, external_id: str, line: int) -> int | None:
        """None if the id is new, and ``line`` is kept; else the line on which it was first."""
        self._cursor.execute(
            "INSERT INTO first_line VALUES (?, ?) ON CONFLICT DO NOTHING", (external_id, line)
        )
        if self._cursor.rowcount == 1:
            return None
        self._cursor.execute("SELECT line FROM first_line WHERE id = ?", (external_id,))
        (first,) = self._cursor.fetchone()
        return int(first)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._connection.close()
