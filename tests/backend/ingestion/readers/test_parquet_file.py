"""Cells of Parquet that Python has no room for, and types that must not change values."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.ingestion.cells import UnreadableCell
from backend.ingestion.readers import open_reader


def values_of(folder: Path, column: Any) -> list[Any]:
    pq.write_table(pa.table({"a": column}), folder / "a.parquet")
    with open_reader(folder / "a.parquet") as reader:
        return [row["a"] for _, row in reader.rows()]


def shown(values: list[Any]) -> list[str]:
    return [value.text for value in values if isinstance(value, UnreadableCell)]


def test_what_is_out_of_range_is_one_cell(tmp_path: Path) -> None:
    moments = pa.array([-62_135_596_800_000_001, 0, None], pa.timestamp("us"))
    values = values_of(tmp_path, moments)
    assert shown(values) == ["0000-12-31 23:59:59.999999"]
    assert [str(value) for value in values[1:]] == ["1970-01-01 00:00:00", "None"]
    assert len(shown(values_of(tmp_path, pa.array([0, 2**31 - 1], pa.date32())))) == 1
    assert len(shown(values_of(tmp_path, pa.array([0, 2**62], pa.duration("s"))))) == 1
    nested = pa.array([[0], [2**62]], pa.list_(pa.timestamp("us")))
    assert len(shown(values_of(tmp_path, nested))) == 1


def test_nanoseconds_are_not_cut_off(tmp_path: Path) -> None:
    moments = pa.array([1_123_456_789, 1_000_000_000, None], pa.timestamp("ns", "Asia/Shanghai"))
    first, second, third = values_of(tmp_path, moments)
    assert first == "1970-01-01T08:00:01.123456789+08:00"
    assert second.isoformat() == "1970-01-01T08:00:01+08:00"
    assert third is None
    assert values_of(tmp_path, pa.array([123], pa.time64("ns"))) == ["00:00:00.000000123"]


def test_single_floats_are_the_decimals_that_were_written(tmp_path: Path) -> None:
    assert values_of(tmp_path, pa.array([0.1, 16_777_216, None], pa.float32())) == [
        0.1,
        16_777_216.0,
        None,
    ]
