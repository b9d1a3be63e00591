"""From the columns of a source to the parts of a record."""

import math
from decimal import Decimal
from typing import Any

from backend.core.exceptions import InvalidInput, UnreadableSource
from backend.ingestion.cells import UnreadableCell
from backend.ingestion.column_choice import choose_columns
from backend.ingestion.schemas import ImportRequest, Reject, short_value
from backend.ingestion.values import UnusableValue, normalise, parse_time
from backend.records.content import Value, is_same_value
from backend.records.schemas import RecordCreate
from backend.words import Message

MAX_EXTERNAL_ID = 500
"""The width of ``Record.external_id``."""
MAX_EXACT = 2**53
"""Above it not every whole number is a float of 64 bits."""
MAX_KIND = 50
"""The width of ``Record.kind``."""


class RowRejected(Exception):
    """A row cannot become a record; ``reject`` says why."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.reason)
        self.reject = reject


class RowMapper:
    """Makes records of rows.

    ``fields`` are the record's field names in the order of the columns, ``named`` the columns with
    them. The columns of external id, kind and observed time are no fields, unless ``columns``
    names them; nor are ``left_out``. ``ids_from_floats`` are the ids of records made so far that
    were floats, until somebody takes them away.

    Raises:
        InvalidInput: a column that the request names is not there, or two columns would
            become one field.
        UnreadableSource: the name of a field is no text that a store can keep.
    """

    def __init__(self, request: ImportRequest, columns: tuple[str, ...], kind: str) -> None:
        _check_columns(request, columns)
        self._known = frozenset(columns) if request.columns is None else None
        choice = choose_columns(request, columns)
        request = choice.request
        self._id_column = request.id_column
        self._kind_column = request.kind_column
        self._observed_column = request.observed_at_column
        self._current_column = choice.current_column
        self._kind = kind
        self._source = request.source or source_name(request)
        self.named = choice.fields
        self.fields = tuple(field for _, field in self.named)
        self.left_out = choice.left_out
        self.is_own_export = choice.current_column is not None
        self.ids_from_floats: list[str] = []
        _check_names(request, self.fields)
        twice = sorted({name for name in self.fields if self.fields.count(name) > 1})
        if twice:
            raise InvalidInput(
                Message("Two columns would become the field {twice!r}.", twice=twice[0]),
                field="renames",
                value=twice[0],
                remedy=Message("Rename one of them with --map COLUMN=FIELD."),
            )

    def record(self, line: int, row: dict[str, Any]) -> RecordCreate:
        """The row as a record.

        Raises:
            RowRejected: a value of the row cannot be kept.
        """
        if self._known is not None and not row.keys() <= self._known:
            name = min(row.keys() - self._known)
            reason = Message("a key that the first lines do not have: give all keys with --columns")
            raise _rejection(line, name, row[name], reason)
        if self._current_column is not None and _is_false(row.get(self._current_column)):
            reason = Message("an earlier version of the record, which the export lists beside it")
            raise _rejection(line, self._current_column, row[self._current_column], reason)
        fields: dict[str, Value] = {}
        get = row.get
        for column, name in self.named:
            value = get(column)
            try:
                fields[name] = normalise(value)
            except UnusableValue as error:
                raise _rejection(line, column, value, error.args[0]) from error
        external_id = str(line) if self._id_column is None else self._external_id(line, row)
        try:
            return RecordCreate(
                external_id=external_id,
                kind=self._kind if self._kind_column is None else self._kind_of(line, row),
                fields=fields,
                source=self._source,
                observed_at=(
                    None if self._observed_column is None else self._observation_time(line, row)
                ),
            )
        except UnicodeEncodeError:
            raise self._undecodable(line, row) from None

    def _external_id(self, line: int, row: dict[str, Any]) -> str:
        value = row.get(self._id_column or "")
        try:
            text = external_id(value)
        except UnusableValue as error:
            raise _rejection(line, self._id_column, value, error.args[0]) from error
        if not text:
            raise _rejection(line, self._id_column, value, Message("the external id is empty"))
        if len(text) > MAX_EXTERNAL_ID:
            reason = Message(
                "the external id is longer than {max_external_id} characters",
                max_external_id=MAX_EXTERNAL_ID,
            )
            raise _rejection(line, self._id_column, value, reason)
        if not text.isascii() and not _is_unicode(text):
            raise self._undecodable(line, row)
        if isinstance(value, float | Decimal) and text.lstrip("-").isdecimal():
            self.ids_from_floats.append(text)
        return text

    def _kind_of(self, line: int, row: dict[str, Any]) -> str:
        value = self._readable(line, row, self._kind_column)
        text = "" if value is None else str(value).strip()
        if len(text) > MAX_KIND or "\x00" in text:
            reason = Message(
                "the kind is longer than {max_kind} characters or has a NUL character",
                max_kind=MAX_KIND,
            )
            raise _rejection(line, self._kind_column, value, reason)
        return text or self._kind

    def _observation_time(self, line: int, row: dict[str, Any]) -> Any:
        value = self._readable(line, row, self._observed_column)
        try:
            return parse_time(value)
        except UnusableValue as error:
            raise _rejection(line, self._observed_column, value, error.args[0]) from error

    def _readable(self, line: int, row: dict[str, Any], column: str | None) -> Any:
        value = row.get(column or "")
        if isinstance(value, UnreadableCell):
            raise _rejection(line, column, value, value.reason)
        return value

    def _undecodable(self, line: int, row: dict[str, Any]) -> RowRejected:
        for column, value in row.items():
            if isinstance(value, str) and not _is_unicode(value):
                reason = Message("bytes that do not fit the file's encoding, or half a character")
                return _rejection(line, column, value, reason)
        return _rejection(line, None, None, Message("text that is no Unicode"))


def external_id(value: Any) -> str:
    """The id as text; a whole number is written as one whatever its type; empty if it is missing.

    Raises:
        UnusableValue: it cannot be kept, or its last digits may be lost.
    """
    if isinstance(value, float) and abs(value) >= MAX_EXACT and not math.isinf(value):
        raise UnusableValue(
            Message("a float of this size has lost digits: keep ids as text or integers")
        )
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return str(int(value))
    normal = normalise(value)
    return "" if normal is None else str(normal).strip()


def source_name(request: ImportRequest) -> str:
    """How the source is called in reports: the file's or table's name, never the URL."""
    return request.path.name if request.path is not None else f"table {request.table}"


def _check_columns(request: ImportRequest, columns: tuple[str, ...]) -> None:
    named = [
        ("id_column", request.id_column),
        ("kind_column", request.kind_column),
        ("observed_at_column", request.observed_at_column),
        *(("renames", column) for column in request.renames),
        *(("columns", column) for column in request.columns or ()),
    ]
    for field, column in named:
        if column is not None and column not in columns:
            raise InvalidInput(
                Message(
                    "{source_name} has no column {column!r}; it has: {columns}.",
                    source_name=source_name(request),
                    column=column,
                    columns=list(map(str, columns)),
                ),
                field=field,
                value=column,
                remedy=Message("Name one of them with {options}.", options=_OPTIONS[field]),
            )


def _check_names(request: ImportRequest, names: tuple[str, ...]) -> None:
    for name in names:
        if "\x00" in name or not _is_unicode(name):
            raise UnreadableSource(
                Message(
                    "{source_name} has a column name that no store can keep: {name!r} (a "
                    "NUL character, or bytes that do not fit the encoding).",
                    source_name=source_name(request),
                    name=short_value(name),
                ),
                field="columns",
                value=short_value(name),
                remedy=Message(
                    "Repair the header, or name the file's encoding, for example "
                    "--encoding gb18030."
                ),
            )


_OPTIONS = {
    "id_column": "--id-column",
    "kind_column": "--kind-column",
    "observed_at_column": "--observed-at-column",
    "renames": "--map COLUMN=FIELD",
    "columns": "--columns",
}


def _is_false(value: object) -> bool:
    return value is not None and is_same_value(str(value), "false", "boolean")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _rejection(line: int, field: str | None, value: object, reason: str) -> RowRejected:
    return RowRejected(
        Reject(line=line, field=short_value(field), value=short_value(value), reason=reason)
    )
