"""Short codes of embeddings: a byte a direction, so that a million are compared in a moment."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from active_learning.row_file import RowFile
from active_learning.types import Embeddings, Positions

ROWS_AT_ONCE = 20_000
"""Codes in memory while they are compared: 5 MB, which a processor keeps close. Chosen."""
LARGEST = 127.0


def encode(reduced: Embeddings) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(n, k) codes and (n,) scales: code times scale is the direction of each vector.

    A vector of no length has a scale of 0, and resembles nothing.
    """
    lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
    units = np.divide(reduced, lengths, out=np.zeros_like(reduced), where=lengths > 0)
    largest = np.abs(units).max(axis=1, initial=0.0)
    scales = (largest / LARGEST).astype(np.float32)
    steps = np.divide(units, scales[:, None], out=np.zeros_like(units), where=scales[:, None] > 0)
    return np.rint(steps).astype(np.int8), scales


def nearest(
    codes: RowFile, scales: NDArray[np.float32], vector: NDArray[np.float32], count: int
) -> Positions:
    """(at most count,) rows whose directions are the nearest to that of (k,), nearest first.

    Equal ones come by row. As exact as the codes are: compare the vectors themselves among them.
    """
    likeness = np.empty(len(scales), dtype=np.float32)
    with threadpool_limits(1):  # so little at a time is not worth a second thread's start
        for start in range(0, len(scales), ROWS_AT_ONCE):
            part = slice(start, min(start + ROWS_AT_ONCE, len(scales)))
            likeness[part] = codes.read(part).astype(np.float32) @ vector
    likeness *= scales
    kept = min(count, len(likeness))
    if not kept:
        return np.empty(0, dtype=np.intp)
    border = np.partition(likeness, len(likeness) - kept)[len(likeness) - kept]
    near = np.flatnonzero(likeness >= border)
    order = np.argsort(-likeness[near], kind="stable")[:kept]
    found: Positions = near[order]
    return found
