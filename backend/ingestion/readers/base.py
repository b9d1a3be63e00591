"""What every reader promises."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from backend.ingestion.schemas import Reject
from backend.records.content import ValueTypes

Row = dict[str, Any]
OnReject = Callable[[Reject], None]


@dataclass
class TextForm:
    """How a text file was read: its encoding, the delimiter of CSV."""

    encoding: str
    delimiter: str | None = None
    restored_cells: int = 0
    """Cells whose protecting apostrophe was taken away so far."""


class Reader(Protocol):
    """One open source.

    ``columns`` are known before the first row, and so are the ``types`` of those that the source
    itself declares. Lines count from 1 and are where a person finds the row: the line of a text
    file, the row number of Parquet and SQL.
    """

    format: str
    columns: tuple[str, ...]

    @property
    def types(self) -> ValueTypes:
        """Column to type."""
        ...

    @property
    def text_form(self) -> TextForm | None:
        """How a text file is read; None for other sources."""
        ...

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Every well-formed row from the start, each with all ``columns`` it has.

        Malformed lines are reported and skipped; a cell that cannot be read is an
        ``UnreadableCell``. Memory does not grow with the source.

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
