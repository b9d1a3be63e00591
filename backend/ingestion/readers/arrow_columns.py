"""Columns of Arrow as Python values, where one bad cell is one bad cell."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from backend.ingestion.cells import UnreadableCell
from backend.records.content import ValueType
from backend.words import Message

CELL_ERRORS = (pa.ArrowException, ArithmeticError, LookupError, OSError, TypeError, ValueError)
"""What Arrow and Python raise of a value that Python has no room for, or that is broken."""


def value_type(kind: pa.DataType) -> ValueType | None:
    """What the Arrow type says of the values; None for texts and all else."""
    if pa.types.is_dictionary(kind):
        return value_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "time"
    return None


def column_values(column: pa.Array) -> list[Any]:
    """The column's values; one that cannot be had is an ``UnreadableCell``.

    Floats of 32 bits are the shortest decimals that give them; times with nanoseconds that
    Python has no room for are text.
    """
    kind = column.type
    try:
        if pa.types.is_float32(kind) or pa.types.is_float16(kind):
            return _short_floats(column)
        if _is_nanoseconds(kind):
            column = column.cast(_microseconds(kind))
        values: list[Any] = column.to_pylist()
    except CELL_ERRORS:
        return list(_one_by_one(column))
    return values


def _short_floats(column: pa.Array) -> list[Any]:
    texts = column.cast(pa.float32()).cast(pa.string())
    values: list[Any] = texts.cast(pa.float64()).to_pylist()
    return values


def _one_by_one(column: pa.Array) -> Iterator[Any]:
    read = _with_nanoseconds if _is_nanoseconds(column.type) else _plain
    for cell in column:
        try:
            yield read(cell)
        except CELL_ERRORS as error:
            reason = Message("no value of this column can be that ({error})", error=error)
            yield UnreadableCell(_as_text(cell), reason)


def _is_nanoseconds(kind: pa.DataType) -> bool:
    is_time = pa.types.is_timestamp(kind) or pa.types.is_time64(kind)
    return bool(is_time and kind.unit == "ns")


def _plain(cell: pa.Scalar) -> Any:
    return cell.as_py()


def _with_nanoseconds(cell: pa.Scalar) -> Any:
    if not cell.is_valid:
        return None
    micros, rest = divmod(cell.value, 1_000)
    moment = pa.array([micros], _microseconds(cell.type))[0].as_py()
    if not rest:
        return moment
    clock, zone = moment.replace(tzinfo=None).isoformat(timespec="microseconds"), ""
    if moment.tzinfo is not None:
        zone = moment.isoformat(timespec="microseconds")[len(clock) :]
    return f"{clock}{rest:03d}{zone}"


def _microseconds(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else pa.time64("us")


def _as_text(cell: pa.Scalar) -> str:
    """The cell as text: as Arrow writes it, else as it is stored."""
    try:
        return str(cell.cast(pa.string()).as_py())
    except CELL_ERRORS:
        pass
    try:
        return str(getattr(cell, "value", None) or cell.as_buffer().to_pybytes())
    except (*CELL_ERRORS, AttributeError):
        return f"a {cell.type}"
