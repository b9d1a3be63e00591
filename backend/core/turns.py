"""Long writing in short transactions, with turns for others who write."""

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from backend.core.database import PATIENT_SECONDS, Database
from backend.core.parts import parts

Item = TypeVar("Item")

ROWS_PER_TURN = 200
"""So many rows take SQLite some ten milliseconds; a webhook's answer waits for one turn."""
LONGEST_PAUSE_SECONDS = 2 * PATIENT_SECONDS
"""Everybody who waits to write looks in that time whether the lock is free."""


def turns(
    database: Database, items: Sequence[Item], size: int = ROWS_PER_TURN
) -> Iterator[Sequence[Item]]:
    """The items, at most ``size`` at a time, each part to be written in a transaction of its own.

    SQLite gives its one write lock to whoever asks first after it is free, not to who has waited
    longest. So between two parts there is a pause as long as the caller needed for the last one.
    """
    started: float | None = None
    for part in parts(items, size):
        if started is not None and database.is_sqlite:
            time.sleep(min(time.monotonic() - started, LONGEST_PAUSE_SECONDS))
        started = time.monotonic()
        yield part
