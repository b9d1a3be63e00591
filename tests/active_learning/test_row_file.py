"""Rows read from a file are those of the array that was written, in any order."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from active_learning import row_file
from active_learning.row_file import RowFile


@pytest.fixture
def rows(tmp_path: Path) -> tuple[NDArray[np.float32], RowFile]:
    values = np.random.default_rng(0).normal(size=(3_000, 7)).astype(np.float32)
    values.tofile(tmp_path / "rows")
    return values, RowFile(tmp_path / "rows", np.float32, 7)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("gap", "span"), [(16_384, 16_777_216), (28, 280), (1, 1)])
def test_any_rows_come_in_their_order(
    rows: tuple[NDArray[np.float32], RowFile],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    gap: int,
    span: int,
) -> None:
    monkeypatch.setattr(row_file, "GAP_BYTES", gap)
    monkeypatch.setattr(row_file, "SPAN_BYTES", span)
    values, file = rows
    rng = np.random.default_rng(seed)
    some = rng.integers(0, 3_000, 400)
    for wanted in (some, np.sort(some), np.unique(some), np.arange(50, 90), some[:0], some[:1]):
        np.testing.assert_array_equal(file.read(wanted), values[wanted])
    for part in (slice(None), slice(10, 20), slice(2_990, 9_999), slice(5, 5), slice(0, 99, 7)):
        np.testing.assert_array_equal(file.read(part), values[part])


def test_what_is_not_there_is_an_error_and_no_file_has_no_rows(
    rows: tuple[NDArray[np.float32], RowFile], tmp_path: Path
) -> None:
    assert len(rows[1]) == 3_000
    with pytest.raises(IndexError, match="no row 3000"):
        rows[1].read(np.array([2_999, 3_000]))
    missing = RowFile(tmp_path / "nothing", np.float32, 7)
    assert len(missing) == 0
    assert missing.read(slice(None)).shape == (0, 7)
