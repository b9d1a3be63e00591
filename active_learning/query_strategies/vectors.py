"""Vectors of candidates, read chunk by chunk: never a copy of a big pool."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Positions

CHUNK = 8_192
"""Rows that are worked on at a time."""


class RowView:
    """Rows of a big matrix, each transformed when it is read: ``view[rows]`` is (m, d) float32.

    Args:
        matrix: (N, width).
        rows: which of its rows the view has, in its order.
        transform: from (m, width) to (m, d); the rows themselves where None.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        rows: Positions,
        transform: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
    ) -> None:
        self._matrix, self._rows, self._transform = matrix, rows, transform
        # A run of neighbours is read in place; anything else has to be gathered.
        self._is_run = len(rows) > 0 and bool(rows[-1] - rows[0] == len(rows) - 1)
        self._is_run = self._is_run and bool((np.diff(rows) == 1).all())

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        if self._is_run and isinstance(rows, slice):
            start = int(self._rows[0])
            low, high, step = rows.indices(len(self))
            found = self._matrix[start + low : start + high : step]
        else:
            found = self._matrix[self._rows[rows]]
        return self.of(found)

    def of(self, found: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows of the same matrix, or of one like it, as this view shows them."""
        return found if self._transform is None else self._transform(found)


Vectors: TypeAlias = NDArray[np.float32] | RowView
"""(n, d) rows in which likeness is closeness; read by ``vectors[rows]``."""


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices that cover n rows in order."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
