"""What means the same, whatever format it came in."""

import pytest

from backend.records.content import (
    Content,
    Value,
    ValueType,
    content_hash,
    is_same_content,
    is_same_value,
)

SAME: list[tuple[Value, Value, ValueType | None]] = [
    (1, 1.0, None),
    (1, "1", None),
    (1.0, "1.0", None),
    (2.5, "2.50", None),
    ("1", "1.0", "number"),
    ("1e-05", 0.00001, None),
    (0.10000000149011612, 0.1, None),  # a float of 32 bits, as it was widened before
    (True, "True", None),
    (True, 1, "boolean"),
    ("0", "false", "boolean"),
    (None, "", None),
    ("2026-01-31", "2026-01-31T00:00:00", "time"),
    ("2026-01-31 10:00:00.500", "2026-01-31T10:00:00.500000", "time"),
    ("2026-01-31T10:00:00+08:00", "2026-01-31T02:00:00Z", "time"),
]
OTHER: list[tuple[Value, Value, ValueType | None]] = [
    ("1", "1.0", None),
    ("007", "7", "number"),
    ("007", 7, None),
    ("1E5", "100000", None),
    ("1.10", "1.1", None),
    (2**53 + 1, float(2**53), None),
    (0.5, 0.500000001, None),
    ("yes", True, "boolean"),
    (2, True, "boolean"),
    (0, None, "number"),
    (False, "", "boolean"),
    ("2026-01-31 10:00:00", "2026-01-31T10:00:00", None),
    ("2026-01-31T10:00:00", "2026-01-31T10:00:00Z", "time"),
    ("2026-01-31T10:00:00.1234567", "2026-01-31T10:00:00.123456", "time"),
    ("31/01/2026", "2026-01-31", "time"),
    ("a", "A", "number"),
    (" a", "a", None),
]


@pytest.mark.parametrize(("one", "other", "known"), SAME)
def test_what_means_the_same(one: Value, other: Value, known: ValueType | None) -> None:
    assert is_same_value(one, other, known)
    assert is_same_value(other, one, known)


@pytest.mark.parametrize(("one", "other", "known"), OTHER)
def test_what_does_not(one: Value, other: Value, known: ValueType | None) -> None:
    assert not is_same_value(one, other, known)
    assert not is_same_value(other, one, known)


def test_a_number_beyond_all_numbers_is_text() -> None:
    huge = "1e999999999999999999999"
    assert is_same_value(huge, huge, "number")
    assert not is_same_value(huge, 1, "number")


def test_contents() -> None:
    one = Content("product", {"price": 12, "note": None, "__index_level_0__": 4})
    other = Content("product", {"price": "12.0"})
    assert content_hash(*one) != content_hash(*other)
    assert is_same_content(one, other, {})
    assert not is_same_content(one, Content("ad", other.fields), {})
    assert not is_same_content(one, Content("product", {"price": 12, "__index_level_0__": 5}), {})
    assert not is_same_content(one, Content("product", {"price": 12, "level": 5}), {})
