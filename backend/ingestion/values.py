"""Values of any source as the few types that a record's fields may have."""

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from backend.ingestion.cells import UnreadableCell
from backend.records.content import Value
from backend.words import Message

DATE_FORMATS = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d")
FLOAT_DIGITS = 15
"""As many digits every float of 64 bits keeps."""


class UnusableValue(ValueError):
    """A value cannot be kept; the message says why."""


def normalise(value: Any) -> Value:
    """``value`` as str, int, float, bool or None.

    NaN is None; dates and times are ISO 8601; an exact decimal is a float if that loses
    nothing, else text; lists and objects are JSON text.

    Raises:
        UnusableValue: infinite, binary, with a NUL character, or of an unknown type.
    """
    converter = _CONVERTERS.get(type(value))
    if converter is None:
        converter = next((c for t, c in _CONVERTERS.items() if isinstance(value, t)), None)
        if converter is None:
            raise UnusableValue(
                Message("a value of type {name} cannot be kept", name=type(value).__name__)
            )
    return converter(value)


def parse_time(value: Any) -> datetime | None:
    """An aware time in UTC; without a zone it is taken as UTC; None and empty stay None.

    Raises:
        UnusableValue: no ISO 8601 date or time, nor one with slashes.
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        parsed = value
    elif isinstance(value, date):
        parsed = datetime(value.year, value.month, value.day)
    else:
        parsed = _parse_text(str(value).strip())
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError as error:
        raise UnusableValue(Message("a time out of range")) from error


def json_value(text: str) -> Any:
    """What the JSON text says; a number that a float would round is an exact decimal.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    return _decode(text)


def _exact_float(text: str) -> float | Decimal:
    number = float(text)
    if len(text) <= FLOAT_DIGITS or not math.isfinite(number):
        return number
    exact = Decimal(text)
    return number if Decimal(repr(number)) == exact else exact


_decode = json.JSONDecoder(parse_float=_exact_float).decode


def _parse_text(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    raise UnusableValue(
        Message("no date or time: write it like 2026-01-31 or 2026-01-31T13:45:00+08:00")
    )


def _same(value: Any) -> Value:
    result: Value = value
    return result


def _text(value: str) -> str:
    if "\x00" in value:
        raise UnusableValue(Message("a NUL character cannot be kept"))
    return value


def _float(value: float) -> float | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise UnusableValue(Message("an infinite number cannot be kept"))
    return value


def _decimal(value: Decimal) -> Value:
    if not value.is_finite():
        return _float(float(value))
    number = float(value)
    return number if Decimal(repr(number)) == value else format(value, "f")


def _bytes(_value: bytes) -> Value:
    raise UnusableValue(
        Message("a binary value cannot be kept; name the other columns as those to keep")
    )


def _unreadable(cell: UnreadableCell) -> Value:
    raise UnusableValue(cell.reason)


def _json(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    except (TypeError, RecursionError) as error:
        raise UnusableValue(
            Message("a nested value cannot be kept ({error})", error=error)
        ) from error
    if "\\u0000" in text:
        raise UnusableValue(Message("a NUL character cannot be kept"))
    return text


_CONVERTERS: dict[type, Callable[[Any], Value]] = {
    str: _text,
    type(None): _same,
    bool: _same,
    int: _same,
    float: _float,
    Decimal: _decimal,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: str,
    UUID: str,
    bytes: _bytes,
    UnreadableCell: _unreadable,
    list: _json,
    dict: _json,
    tuple: _json,
}
