"""Rows of a big matrix are read as from a copy of them."""

from typing import Any

import numpy as np
import pytest

from active_learning.query_strategies.vectors import CHUNK, RowView, chunks

MATRIX = np.arange(60, dtype=np.float32).reshape(12, 5)


@pytest.mark.parametrize(
    "rows", [[3, 4, 5, 6], [3, 4, 6, 5], [6, 5, 4, 3], [0, 2, 4], [2, 3, 3, 5], [7], []]
)
@pytest.mark.parametrize("columns", [None, 2])
@pytest.mark.parametrize(
    "asked",
    [
        slice(None),
        slice(1, 3),
        slice(0, 2),
        slice(2, None),
        slice(None, None, 2),
        slice(1, 99),
        slice(-2, None),
        np.array([0, 0], dtype=np.intp),
    ],
    ids=str,
)
def test_a_view_reads_the_rows_that_a_copy_has(
    rows: list[int], columns: int | None, asked: Any
) -> None:
    copy = MATRIX[np.array(rows, dtype=np.intp), :columns]
    view = RowView(MATRIX, np.array(rows, dtype=np.intp), columns=columns)
    assert len(view) == len(copy)
    if isinstance(asked, np.ndarray) and not rows:
        return
    assert view[asked].tolist() == copy[asked].tolist()
    doubled = RowView(MATRIX, np.array(rows, dtype=np.intp), lambda found: 2 * found, columns)
    assert doubled[asked].tolist() == (2 * copy[asked]).tolist()
    assert doubled.at([11, 0]).tolist() == (2 * MATRIX[[11, 0], :columns]).tolist()


def test_a_run_of_rows_is_read_in_place() -> None:
    view = RowView(MATRIX, np.arange(2, 9))
    assert np.shares_memory(view[1:4], MATRIX)
    assert not np.shares_memory(RowView(MATRIX, np.array([2, 4, 3]))[:], MATRIX)


@pytest.mark.parametrize(("n", "size"), [(0, 3), (1, 3), (3, 3), (7, 3), (6, 1)])
def test_chunks_cover_all_rows_once_in_order(n: int, size: int) -> None:
    parts = list(chunks(n, size))
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(n))
    assert all(part.stop - part.start == size for part in parts[:-1])
    assert list(chunks(CHUNK + 1)) == [slice(0, CHUNK), slice(CHUNK, CHUNK + 1)]
