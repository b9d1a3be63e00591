"""Rows of CSV, where a quote that stays open costs its own line and not those behind it."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator

from backend.ingestion.readers.text import MAX_LENGTH

SPARED_SHARE = 10
"""Lines of which one may be no row. Chosen: texts of several lines have hardly ever as many
delimiters in nine of ten lines as the header has."""


class CsvLines:
    """The rows of a file from its present line on, each with what is needed to say where it is.

    Args:
        lines: of the file, with their ends.
        delimiter: one character.
        number: of the last line that was read before.
    """

    def __init__(self, lines: Iterable[str], delimiter: str, number: int = 0) -> None:
        self._lines = iter(lines)
        self._delimiter = delimiter
        self._held: list[str] = []
        self._again: deque[str] = deque()
        self.number = number
        """The last line of the rows so far."""
        self.has_apostrophe = False
        """True if one of the last row's lines has an apostrophe."""
        csv.field_size_limit(MAX_LENGTH)
        self._reader = self._new_reader()

    @property
    def span(self) -> int:
        """How many lines the last row took."""
        return len(self._held)

    def next_row(self) -> list[str]:
        """The cells of the next row; none of an empty line.

        Raises:
            StopIteration: there are no more.
            csv.Error: it is broken.
        """
        self.has_apostrophe = False
        self._held.clear()
        try:
            return next(self._reader)
        finally:
            self.number += len(self._held)

    def put_back(self, width: int) -> bool:
        """True if the last row was a line with an open quote; the lines behind it come again.

        They do if nearly each of them is a row of ``width`` cells by itself, which the lines of
        a text are not.
        """
        behind = self._held[1:]
        if width < 2 or not behind:
            return False
        others = sum(not self._is_row(line, width) for line in behind)
        if others > len(behind) // SPARED_SHARE:
            return False
        self._again.extendleft(reversed(behind))
        self.number -= len(behind)
        self._reader = self._new_reader()
        return True

    def _new_reader(self) -> Iterator[list[str]]:
        return csv.reader(self._read(), delimiter=self._delimiter, strict=True)

    def _read(self) -> Iterator[str]:
        held, again = self._held, self._again
        while again:
            yield self._hold(again.popleft())
        for line in self._lines:
            held.append(line)
            if "'" in line:
                self.has_apostrophe = True
            yield line

    def _hold(self, line: str) -> str:
        self._held.append(line)
        self.has_apostrophe = self.has_apostrophe or "'" in line
        return line

    def _is_row(self, line: str, width: int) -> bool:
        try:
            cells = next(csv.reader([line], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return False
        return len(cells) in (0, width)
