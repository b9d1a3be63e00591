"""Vectors of candidates, chunk by chunk: never a copy of a big pool, never an n x n matrix."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Positions

CHUNK = 8_192
"""Rows that are worked on at a time."""
BLOCK_VALUES = 16_000_000
"""Distances held at a time: 64 MB of float32."""


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


def squared_distances(
    rows: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n, m) squared Euclidean distances, by one matrix product."""
    found = rows @ others.T
    found *= -2.0
    found += np.einsum("ij,ij->i", rows, rows)[:, None]
    found += np.einsum("ij,ij->i", others, others)
    np.maximum(found, 0.0, out=found)
    return np.asarray(found, dtype=np.float32)


def nearest_distance(vectors: Vectors, others: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) Euclidean distance to the nearest of ``others``; infinite where there is none."""
    out = np.full(len(vectors), np.inf)
    if len(others) == 0:
        return out
    size = max(1, min(CHUNK, BLOCK_VALUES // len(others)))
    for part in chunks(len(vectors), size):
        out[part] = np.sqrt(squared_distances(vectors[part], others).min(axis=1))
    return out


def nearest_neighbours(
    vectors: Vectors, others: NDArray[np.float32], count: int
) -> tuple[Positions, NDArray[np.float32]]:
    """((n, count) rows of ``others`` in no order, (n, count) squared distances)."""
    count = min(count, len(others))
    rows = np.empty((len(vectors), count), dtype=np.intp)
    distances = np.empty((len(vectors), count), dtype=np.float32)
    size = max(1, min(CHUNK, BLOCK_VALUES // len(others)))
    for part in chunks(len(vectors), size):
        found = squared_distances(vectors[part], others)
        if count < found.shape[1]:
            nearest = np.argpartition(found, count - 1, axis=1)[:, :count]
        else:
            nearest = np.broadcast_to(np.arange(count), found.shape)
        rows[part] = nearest
        distances[part] = np.take_along_axis(found, nearest, axis=1)
    return rows, distances
