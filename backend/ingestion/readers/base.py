"""What every reader promises."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from backend.ingestion.schemas import Reject

Row = dict[str, Any]
OnReject = Callable[[Reject], None]


class Reader(Protocol):
    """One open source.

    ``columns`` are known before the first row. Lines count from 1 and are where a person
    finds the row: the line of a text file, the row number of Parquet and SQL.
    """

    format: str
    columns: tuple[str, ...]

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Every well-formed row from the start, each with all ``columns`` it has.

        Malformed lines are reported and skipped; memory does not grow with the source.

        Raises:
            UnreadableSource: the rest cannot be read.
        """
        ...

    def fraction(self) -> float:
        """How much has been read, 0 to 1."""
        ...

    def close(self) -> None:
        """The source is released; safe to repeat."""
        ...


def ignore_reject(_reject: Reject) -> None:
    """For callers who want the good rows only."""
