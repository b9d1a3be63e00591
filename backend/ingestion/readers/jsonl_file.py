"""JSON lines: one object a line."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import NoneType

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.base import OnReject, Row, TextForm
from backend.ingestion.readers.text import MAX_LENGTH, TextSource
from backend.ingestion.schemas import Reject, short_value
from backend.ingestion.values import json_value
from backend.records.content import ValueType
from backend.words import Message

LINES_FOR_COLUMNS = 1_000
"""Chosen: a field that none of so many lines has is rare."""


class JsonlReader:
    """One object a line; ``columns`` are the keys of the first thousand lines.

    A line that is no JSON object, or longer than 16 Mi characters, is rejected.

    Raises:
        UnreadableSource: no objects, one JSON array, or wrong encoding.
        OSError: the file cannot be opened.
    """

    format = "jsonl"

    def __init__(self, path: Path, encoding: str | None, on_reject: OnReject) -> None:
        self._path = path
        self._text = TextSource(path, encoding)
        self._on_reject = on_reject
        self.text_form = TextForm(self._text.encoding_name)
        self.types: dict[str, ValueType] = {}
        self.columns = self._first_columns()
        self._text.close()

    def rows(self) -> Iterator[tuple[int, Row]]:
        for line, text in self._lines():
            try:
                row = json_value(text)
            except (ValueError, RecursionError) as error:
                self._reject(line, text, Message("no JSON ({error})", error=error))
                continue
            if isinstance(row, dict):
                yield line, row
            else:
                self._reject(line, text, Message("no JSON object: write {…} on every line"))

    def fraction(self) -> float:
        return self._text.fraction()

    def close(self) -> None:
        self._text.close()

    def _lines(self) -> Iterator[tuple[int, str]]:
        with self._text.reading_errors(), self._text.open() as file:
            line = 0
            while text := file.readline(MAX_LENGTH):
                line += 1
                if len(text) == MAX_LENGTH and not text.endswith("\n"):
                    self._reject(
                        line,
                        text,
                        Message("longer than {max_line} characters", max_line=MAX_LENGTH),
                    )
                    while (rest := file.readline(MAX_LENGTH)) and not rest.endswith("\n"):
                        pass
                elif stripped := text.strip():
                    yield line, stripped

    def _first_columns(self) -> tuple[str, ...]:
        kinds: dict[str, set[type]] = {}
        for line, text in islice(self._lines(), LINES_FOR_COLUMNS):
            if line == 1 and text.startswith("["):
                raise self._unreadable(
                    Message("is a JSON array"), Message("Write one object a line (JSONL).")
                )
            try:
                row = json_value(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                for name, value in row.items():
                    kinds.setdefault(name, set()).add(type(value))
        if not kinds:
            raise self._unreadable(
                Message("holds no JSON objects"), Message("Write one object a line (JSONL).")
            )
        for name, found in kinds.items():
            if known := _TYPES.get(frozenset(found - {NoneType})):
                self.types[name] = known
        return tuple(kinds)

    def _unreadable(self, what: str, remedy: str) -> UnreadableSource:
        return UnreadableSource(
            Message("{path} {what}.", path=self._path, what=what),
            field="path",
            value=str(self._path),
            remedy=remedy,
        )

    def _reject(self, line: int, text: str, reason: str) -> None:
        self._on_reject(Reject(line=line, field=None, value=short_value(text), reason=reason))


_TYPES: dict[frozenset[type], ValueType] = {
    frozenset({bool}): "boolean",
    frozenset({int}): "number",
    frozenset({float}): "number",
    frozenset({int, float}): "number",
}
