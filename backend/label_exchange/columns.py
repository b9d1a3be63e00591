"""The columns of an export as a table: what each row says, then the record's fields."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from backend.core.tabular import as_json
from backend.label_exchange.schemas import AnnotationRow, LabelRow

if TYPE_CHECKING:
    import pyarrow as pa

RECORD_FIELDS = "fields"


@dataclass(frozen=True)
class Column:
    """One column; ``kind`` is text, whole, number, yes_no, time, texts, wholes or json."""

    name: str
    kind: str


@dataclass(frozen=True)
class Layout:
    """The columns of one export.

    Fields of the record come last, as text; one called like a column before is ``field.NAME``.
    """

    row: type[LabelRow] | type[AnnotationRow]
    record_fields: Sequence[str]

    @cached_property
    def own(self) -> list[Column]:
        """The columns that every export of this kind of row has."""
        hints = get_type_hints(self.row)
        return [
            Column(each.name, _kind(hints[each.name]))
            for each in fields(self.row)
            if each.name != RECORD_FIELDS
        ]

    @cached_property
    def columns(self) -> list[Column]:
        """Every column in order."""
        taken = {column.name for column in self.own} | {"label"}
        named = [f"field.{name}" if name in taken else name for name in self.record_fields]
        return [*self.own, *(Column(name, "text") for name in named)]

    def values(self, row: LabelRow | AnnotationRow) -> list[Any]:
        """The row's values in the order of the columns; lists stay lists, objects are JSON."""
        own = [
            as_json(getattr(row, column.name))
            if column.kind == "json"
            else getattr(row, column.name)
            for column in self.own
        ]
        return [*own, *(_text(row.fields.get(name)) for name in self.record_fields)]

    def arrow_schema(self) -> "pa.Schema":
        """The columns' types in Arrow."""
        import pyarrow as pa

        return pa.schema([(column.name, arrow_type(column.kind)) for column in self.columns])


def as_object(row: LabelRow | AnnotationRow) -> dict[str, Any]:
    """The row as one object, nested; the record's fields under ``fields``."""
    return {each.name: getattr(row, each.name) for each in fields(row)}


def arrow_type(kind: str) -> "pa.DataType":
    """The Arrow type of a kind of column."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        "text": pa.string(),
        "json": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "yes_no": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
        "texts": pa.list_(pa.string()),
        "wholes": pa.list_(pa.int64()),
        "numbers": pa.list_(pa.float64()),
    }
    return types[kind]


_KINDS: dict[Any, str] = {
    str: "text",
    int: "whole",
    float: "number",
    bool: "yes_no",
    datetime: "time",
    list[str]: "texts",
    list[int]: "wholes",
}


def _kind(hint: Any) -> str:
    given = [each for each in get_args(hint) if each is not NoneType] if _is_optional(hint) else []
    return _KINDS.get(given[0] if given else hint, "json")


def _is_optional(hint: Any) -> bool:
    return NoneType in get_args(hint)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else as_json(value)
