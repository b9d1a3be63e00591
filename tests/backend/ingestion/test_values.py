"""Values of any source."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from backend.ingestion.values import UnusableValue, normalise, parse_time


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("马克杯", "马克杯"),
        (True, True),
        (2**70, 2**70),
        (1.5, 1.5),
        (math.nan, None),
        (None, None),
        (Decimal("1.10"), 1.1),
        (Decimal("0.12345678901234567890123"), "0.12345678901234567890123"),
        (Decimal("NaN"), None),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 5, tzinfo=UTC), "2026-01-31T05:00:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"b": [1, "杯"], "a": None}, '{"a": null, "b": [1, "杯"]}'),
        (np.float64(1.5), 1.5),
    ],
)
def test_what_is_kept(value: object, expected: object) -> None:
    kept = normalise(value)
    assert kept == expected
    assert type(kept) in {str, bool, int, float, type(None), np.float64}


@pytest.mark.parametrize("value", [math.inf, -math.inf, b"x", "a\x00b", ["\x00"], object()])
def test_what_is_not(value: object) -> None:
    with pytest.raises(UnusableValue):
        normalise(value)


def test_times() -> None:
    assert parse_time("2026-01-31T08:00:00+08:00") == datetime(2026, 1, 31, tzinfo=UTC)
    assert parse_time(" 2026-01-31 ") == datetime(2026, 1, 31, tzinfo=UTC)
    assert parse_time("2026/01/31 10:30") == datetime(2026, 1, 31, 10, 30, tzinfo=UTC)
    assert parse_time(date(2026, 1, 31)) == datetime(2026, 1, 31, tzinfo=UTC)
    assert parse_time("") is None
    for bad in ("31.01.2026", "0001-01-01T00:00:00+14:00", "soon"):
        with pytest.raises(UnusableValue):
            parse_time(bad)
