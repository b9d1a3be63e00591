"""Greedy choice by distance to what is chosen already, exact without touching every row."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from active_learning.query_strategies.distances import CPU_DISTANCES, Distances
from active_learning.query_strategies.vectors import Vectors, chunks
from active_learning.types import Positions, Scores

BLOCK = 2_048
"""Rows whose distances are brought up to date together. Chosen: one call of numpy for many rows,
and few that would not have been asked for."""

Worth = Callable[[Scores, Positions | slice, int], Scores]
"""(distances to the nearest known record, their rows, picks so far) to worths.

It must not rise where a distance falls.
"""


def farthest_first(
    vectors: Vectors,
    distances: Scores,
    worth: Worth,
    count: int,
    first: int | None = None,
    computed: Distances = CPU_DISTANCES,
) -> Positions:
    """``count`` rows, each the one of highest worth given all before it; the lowest row on ties.

    Distances only fall as more is chosen, so an old distance bounds the worth from above
    (lazy greedy, Minoux 1978): the best rows are brought up to date, block by block, until none
    of the rest can be better. The picks are those of the plain greedy rule, up to float rounding.
    On a GPU that holds all rows that rule itself is faster, and is followed.

    Args:
        vectors: (n, d).
        distances: (n,) to the nearest record that is labelled; infinite where none is.
        worth: what a row is worth at a distance.
        count: rows wanted, at most n.
        first: a row that is chosen before any other.
        computed: where distances between rows are computed.
    """
    if computed.holds(vectors):
        return _greedily(vectors, distances, worth, count, first, computed)
    return _lazily(vectors, distances, worth, count, first)


def _lazily(
    vectors: Vectors, distances: Scores, worth: Worth, count: int, first: int | None
) -> Positions:
    """Only rows that may be the next pick are brought up to date."""
    distances = distances.copy()
    chosen: list[int] = []
    picked: list[NDArray[np.float32]] = []
    current = np.zeros(len(distances), dtype=np.intp)
    is_open = np.ones(len(distances), dtype=bool)

    def take(row: int) -> None:
        chosen.append(row)
        picked.append(vectors[row : row + 1][0])
        is_open[row] = False

    def refresh(rows: Positions) -> None:
        """Distances of the rows know every pick."""
        oldest = int(current[rows].min())
        if oldest < len(picked):
            others = np.stack(picked[oldest:]).astype(np.float64)
            block = vectors[rows].astype(np.float64)
            squares = (block**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
            found = np.sqrt(np.maximum(squares - 2.0 * block @ others.T, 0.0)).min(axis=1)
            distances[rows] = np.minimum(distances[rows], found)
            current[rows] = len(picked)

    if first is not None and count:
        take(first)
    while len(chosen) < count:
        bounds = np.where(is_open, worth(distances, slice(None), len(chosen)), -np.inf)
        size = BLOCK if picked else 1
        while True:
            size = min(size, len(bounds))
            top = (
                np.argpartition(-bounds, size - 1)[:size]
                if size < len(bounds)
                else np.arange(len(bounds))
            )
            top = np.sort(top[is_open[top]])
            stale = top[current[top] < len(picked)]
            if len(stale) == 0:
                break
            for start in range(0, len(stale), 4 * BLOCK):
                refresh(stale[start : start + 4 * BLOCK])
            bounds[stale] = worth(distances[stale], stale, len(chosen))
            # The best of what is up to date is the best of all once nothing stale exceeds it.
            fresh = current == len(picked)
            best = bounds[fresh & is_open].max(initial=-np.inf)
            if not (bounds[~fresh & is_open] >= best).any():
                break
            size *= 2
        take(int(np.argmax(np.where(current == len(picked), bounds, -np.inf))))
    return np.array(chosen, dtype=np.intp)


def _greedily(
    vectors: Vectors,
    distances: Scores,
    worth: Worth,
    count: int,
    first: int | None,
    computed: Distances,
) -> Positions:
    """The plain rule: after each pick the distances of all rows are brought up to date."""
    distances, products = distances.copy(), computed.products(vectors)
    squares = np.empty(len(vectors))
    for part in chunks(len(vectors)):
        block = vectors[part]
        squares[part] = np.einsum("ij,ij->i", block, block)
    is_open = np.ones(len(vectors), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < count:
        if first is not None and not chosen:
            row = first
        else:
            worths = worth(distances, slice(None), len(chosen))
            row = int(np.argmax(np.where(is_open, worths, -np.inf)))
        chosen.append(row)
        is_open[row] = False
        if len(chosen) == count:
            break
        for part, inner in products(vectors[row : row + 1][0]):
            gaps = np.maximum(squares[part] + squares[row] - 2.0 * inner, 0.0)
            np.minimum(distances[part], np.sqrt(gaps), out=distances[part])
    return np.array(chosen, dtype=np.intp)
