"""CSV with a header line."""

import csv
from collections.abc import Iterator
from pathlib import Path

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.base import OnReject, Row
from backend.ingestion.readers.text import TextSource
from backend.ingestion.schemas import Reject, short_value
from backend.words import Message

DELIMITERS = (",", "\t", ";", "|")


class CsvReader:
    """Every cell is text; an empty one is None. Cells are never guessed to be numbers.

    A row with more or fewer cells than the header, or broken quotes, is rejected.

    Raises:
        UnreadableSource: no header, a column name twice, or wrong encoding.
        OSError: the file cannot be opened.
    """

    format = "csv"

    def __init__(
        self, path: Path, encoding: str | None, delimiter: str | None, on_reject: OnReject
    ) -> None:
        self._path = path
        self._text = TextSource(path, encoding)
        self._on_reject = on_reject
        with self._text.reading_errors(), self._text.open() as file:
            self._delimiter = delimiter or most_frequent_delimiter(file.readline())
            file.seek(0)
            self.columns = self._header(csv.reader(file, delimiter=self._delimiter, strict=True))
        self._text.close()

    def rows(self) -> Iterator[tuple[int, Row]]:
        with self._text.reading_errors(), self._text.open() as file:
            lines = csv.reader(file, delimiter=self._delimiter, strict=True)
            next(lines)
            columns, width = self.columns, len(self.columns)
            while True:
                line = lines.line_num + 1
                try:
                    cells = next(lines)
                except StopIteration:
                    return
                except csv.Error as error:
                    self._reject_broken(line, lines.line_num, error)
                    continue
                if len(cells) == width:
                    yield (
                        line,
                        {name: cell or None for name, cell in zip(columns, cells, strict=True)},
                    )
                elif cells:
                    self._reject_width(line, cells)

    def fraction(self) -> float:
        return self._text.fraction()

    def close(self) -> None:
        self._text.close()

    def _header(self, lines: Iterator[list[str]]) -> tuple[str, ...]:
        try:
            cells = next(lines)
        except StopIteration:
            raise self._unreadable(
                Message("is empty"), Message("The first line must name the columns."), None
            ) from None
        except csv.Error as error:
            raise self._unreadable(
                Message("has a broken header: {error}", error=error), Message("Repair line 1."), 1
            ) from error
        names = [cell.strip() or f"column_{place}" for place, cell in enumerate(cells, start=1)]
        if not names:
            raise self._unreadable(
                Message("starts with an empty line"),
                Message("The first line must name the columns."),
                1,
            )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self._unreadable(
                Message(
                    "has the column {twice!r} more than once in its header (line 1)", twice=twice[0]
                ),
                Message("Give each column a name of its own."),
                twice[0],
            )
        return tuple(names)

    def _unreadable(self, what: str, remedy: str, value: object) -> UnreadableSource:
        return UnreadableSource(
            Message("{path} {what}.", path=self._path, what=what),
            field="header",
            value=value,
            remedy=remedy,
        )

    def _reject_broken(self, line: int, last: int, error: csv.Error) -> None:
        reason = Message("broken CSV ({error}): is a quote open or not doubled?", error=error)
        if last > line:
            reason = Message(
                "broken CSV ({error}); lines {line} to {last} are skipped: is a quote open or not "
                "doubled?",
                error=error,
                line=line,
                last=last,
            )
        self._on_reject(Reject(line=line, field=None, value=None, reason=reason))

    def _reject_width(self, line: int, cells: list[str]) -> None:
        self._on_reject(
            Reject(
                line=line,
                field=None,
                value=short_value(self._delimiter.join(cells)),
                reason=Message.ngettext(
                    "{n} cell, but the header has {wanted}",
                    "{n} cells, but the header has {wanted}",
                    n=len(cells),
                    wanted=len(self.columns),
                ),
            )
        )


def most_frequent_delimiter(header: str) -> str:
    """Comma, tab, semicolon or bar: the one that the header has most of outside quotes."""
    unquoted = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=unquoted.count)
