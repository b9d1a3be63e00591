"""Vectors of candidates, read chunk by chunk: never a copy of a big pool."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.types import FeatureRows, Positions

CHUNK = 8_192
"""Rows that are worked on at a time. Chosen: bounds memory."""


class RowView:
    """Rows of a big matrix, each transformed when it is read: ``view[rows]`` is (m, d) float32.

    Args:
        matrix: (N, width).
        rows: which of its rows the view has, in its order.
        transform: from (m, columns) to (m, d); the rows themselves where None.
        columns: how many of the leading columns are read; all where None.
    """

    def __init__(
        self,
        matrix: FeatureRows,
        rows: Positions,
        transform: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
        columns: int | None = None,
    ) -> None:
        self._matrix, self._rows, self._transform = matrix, rows, transform
        self._columns = slice(0, columns)
        # A run of neighbours is read in place; anything else has to be gathered.
        self._is_run = len(rows) > 0 and bool(rows[-1] - rows[0] == len(rows) - 1)
        self._is_run = self._is_run and bool((np.diff(rows) == 1).all())

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        if self._is_run and isinstance(rows, slice):
            start = int(self._rows[0])
            low, high, step = rows.indices(len(self))
            wanted: Any = slice(start + low, start + high, step)
        else:
            wanted = self._rows[rows]
        return self.at(wanted)

    def at(self, rows: Any) -> NDArray[np.float32]:
        """(m, d) other rows of the same matrix, by their place in it, as this view shows them."""
        found: NDArray[np.float32] = self._matrix[rows, self._columns]
        return found if self._transform is None else self._transform(found)


Vectors: TypeAlias = NDArray[np.float32] | RowView
"""(n, d) rows in which likeness is closeness; read by ``vectors[rows]``."""


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices that cover n rows in order."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
