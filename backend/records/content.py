"""What makes two versions of a record the same: a hash of kind and fields, else their meaning."""

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from backend.core.plain_numbers import exact_number

Value = str | int | float | bool | None
Fields = Mapping[str, Value]
ValueType = Literal["number", "time", "boolean"]
"""What a source that has types said of a column; nothing is known of the others."""
ValueTypes = Mapping[str, ValueType]

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
_INDEX = re.compile(r"__index_level_[0-9]+__")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.]([0-9]+))?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class Content(NamedTuple):
    """What one version of a record says."""

    kind: str
    fields: Fields


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    return _encode(value)


def content_hash(kind: str, fields: Fields) -> str:
    """SHA-256 of the canonical JSON of ``{"fields": …, "kind": …}``, 64 hex digits.

    Equal hashes mean the same content. Unequal ones may, too: see ``is_same_content``.
    """
    text = canonical_json({"fields": fields, "kind": kind})
    return hashlib.sha256(text.encode()).hexdigest()


def is_index_column(name: str) -> bool:
    """True if pandas made the column, of an index without a name: it says nothing of the row."""
    return _INDEX.fullmatch(name) is not None


def is_same_content(one: Content, other: Content, types: ValueTypes) -> bool:
    """True if kind and every field mean the same, in whatever format they came.

    A field that one of them lacks is empty there; an index column that one of them lacks counts
    for nothing.
    """
    if one.kind != other.kind:
        return False
    for name in one.fields.keys() | other.fields.keys():
        is_shared = name in one.fields and name in other.fields
        if not is_shared and is_index_column(name):
            continue
        if not is_same_value(one.fields.get(name), other.fields.get(name), types.get(name)):
            return False
    return True


def is_same_value(one: Value, other: Value, known: ValueType | None = None) -> bool:
    """True if both mean the same in a column of that type.

    Empty text is no value. Where the column, or one of the two, is a number, texts that are
    plain numbers count as numbers; so do texts of booleans and times. All other texts are the
    same only letter by letter.

    >>> is_same_value(1, "1.0"), is_same_value("1", "1.0"), is_same_value("1", "1.0", "number")
    (True, False, True)
    >>> is_same_value("007", 7), is_same_value("2026-01-31 08:00", "2026-01-31T08:00:00", "time")
    (False, True)
    """
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    if one == other and type(one) is type(other):
        return True
    if known == "boolean" or isinstance(one, bool) or isinstance(other, bool):
        truth = _boolean(one)
        if truth is not None and truth == _boolean(other):
            return True
    if known == "number" or not (isinstance(one, str) and isinstance(other, str)):
        return _is_same_number(one, other)
    if known == "time":
        moment = _moment(one)
        return moment is not None and moment == _moment(other)
    return False


def is_of_type(value: Value, known: ValueType) -> bool:
    """True if the value is one of a column of that type, or is written as one.

    >>> is_of_type("2.50", "number"), is_of_type("many", "number"), is_of_type("yes", "boolean")
    (True, False, False)
    """
    match known:
        case "number":
            return exact_number(value) is not None
        case "boolean":
            return _boolean(value) is not None
        case "time":
            return _moment(value) is not None


def _boolean(value: Value) -> bool | None:
    if isinstance(value, str):
        return _BOOLEANS.get(value.lower())
    return bool(value) if value in (0, 1) else None


def _is_same_number(one: Value, other: Value) -> bool:
    first, second = exact_number(one), exact_number(other)
    if first is None or second is None:
        return False
    return first == second or first == _of_single(other) or second == _of_single(one)


def _of_single(value: Value) -> object:
    """The shortest decimal of a float of 32 bits that was widened to 64; None for others."""
    if not isinstance(value, float):
        return None
    try:
        if struct.unpack("f", struct.pack("f", value))[0] != value:
            return None
    except OverflowError:
        return None
    for digits in range(6, 10):
        shortest = f"{value:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(shortest)))[0] == value:
            return exact_number(float(shortest))
    return None


def _moment(value: Value) -> tuple[datetime, str] | None:
    """The time, and its digits beyond the microsecond; a day is its midnight."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    day, clock, fraction, zone = found.groups(default="")
    digits = fraction.rstrip("0")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone}")
        moment = moment.replace(microsecond=int(digits[:6].ljust(6, "0")))
        return (moment.astimezone(UTC) if moment.tzinfo else moment), digits[6:]
    except (ValueError, OverflowError):
        return None
