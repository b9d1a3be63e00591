"""CSV with a header line."""

import csv
import operator
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from backend.core.exceptions import UnreadableSource
from backend.core.tabular_cells import original_text
from backend.ingestion.readers.base import OnReject, Row, TextForm
from backend.ingestion.readers.csv_lines import CsvLines
from backend.ingestion.readers.delimiters import likely_delimiter, named_delimiter
from backend.ingestion.readers.text import MAX_LENGTH, TextSource
from backend.ingestion.schemas import Reject, short_value
from backend.records.content import ValueTypes
from backend.words import Message

LINES_FOR_DELIMITER = 20
"""Chosen: a wrong delimiter does not fit so many rows by chance."""


class CsvReader:
    """Every cell is text; an empty one is None. Cells are never guessed to be numbers.

    A row with more or fewer cells than the header, or broken quotes, is rejected. A first line
    ``sep=;``, which Excel writes, names the delimiter. An apostrophe that protects a cell from
    being run as a formula (``backend.core.tabular_cells``) is taken away.

    Raises:
        UnreadableSource: no header, a column name twice, wrong encoding, or a delimiter that
            cannot be one.
        OSError: the file cannot be opened.
    """

    format = "csv"
    types: ValueTypes = MappingProxyType({})

    def __init__(
        self, path: Path, encoding: str | None, delimiter: str | None, on_reject: OnReject
    ) -> None:
        if delimiter is not None and delimiter in '"\r\n':
            raise UnreadableSource(
                Message("Cells cannot be separated by {delimiter!r}.", delimiter=delimiter),
                field="delimiter",
                value=delimiter,
                remedy=Message("Choose a comma, a tab, a semicolon or a bar."),
            )
        self._path = path
        self._text = TextSource(path, encoding)
        self._on_reject = on_reject
        with self._text.reading_errors(), self._text.open() as file:
            first = file.readline(MAX_LENGTH)
            hint = named_delimiter(first)
            lines = [] if hint else [first]
            lines += islice(file, LINES_FOR_DELIMITER)
        self._has_hint = hint is not None
        self._delimiter = delimiter or hint or likely_delimiter(lines)
        self.text_form = TextForm(self._text.encoding_name, self._delimiter)
        with self._text.reading_errors(), self._text.open() as file:
            self.columns = self._header(self._lines(file))
        self._text.close()

    def rows(self) -> Iterator[tuple[int, Row]]:
        self.text_form.restored_cells = 0
        with self._text.reading_errors(), self._text.open() as file:
            lines = self._lines(file)
            lines.next_row()
            columns, width = self.columns, len(self.columns)
            while True:
                line = lines.number + 1
                try:
                    cells = lines.next_row()
                except StopIteration:
                    return
                except csv.Error as error:
                    is_short = lines.put_back(width)
                    self._reject_broken(line, line if is_short else lines.number, error)
                    continue
                if len(cells) == width:
                    if lines.has_apostrophe:
                        cells = self._originals(cells)
                    yield (
                        line,
                        {name: cell or None for name, cell in zip(columns, cells, strict=True)},
                    )
                elif cells:
                    lines.put_back(width)
                    self._reject_width(line, cells)

    def fraction(self) -> float:
        return self._text.fraction()

    def close(self) -> None:
        self._text.close()

    def _lines(self, file: TextIO) -> CsvLines:
        if self._has_hint:
            file.readline()
        return CsvLines(file, self._delimiter, number=int(self._has_hint))

    def _originals(self, cells: list[str]) -> list[str]:
        restored = [original_text(cell) for cell in cells]
        changed = sum(map(operator.ne, cells, restored))
        self.text_form.restored_cells += changed
        return restored

    def _header(self, lines: CsvLines) -> tuple[str, ...]:
        line = lines.number + 1
        try:
            cells = lines.next_row()
        except StopIteration:
            raise self._unreadable(
                Message("is empty"), Message("The first line must name the columns."), None
            ) from None
        except csv.Error as error:
            raise self._unreadable(
                Message("has a broken header: {error}", error=error),
                Message("Repair line {line}.", line=line),
                line,
            ) from error
        names = [
            original_text(cell.strip()) or f"column_{place}"
            for place, cell in enumerate(cells, start=1)
        ]
        if not names:
            raise self._unreadable(
                Message("starts with an empty line"),
                Message("The first line must name the columns."),
                line,
            )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self._unreadable(
                Message(
                    "has the column {twice!r} more than once in its header (line {line})",
                    twice=twice[0],
                    line=line,
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
