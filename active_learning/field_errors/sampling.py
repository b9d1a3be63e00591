"""Which records to mark next, so that few of them teach about all columns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from active_learning.exceptions import EmptyPool, UnknownStrategy
from active_learning.field_errors.cell_table import CellTable
from active_learning.types import Positions, Probabilities, Reason, Scores

RANDOM, MIXTURE, CLUSTERING = "random", "mixture", "clustering"
SAMPLERS = (RANDOM, MIXTURE, CLUSTERING)
RANDOM_SHARE = 0.15
"""Of a mixed batch: records that no score chose, in case the scores look at the wrong thing.
Chosen."""
CLUSTERED = 1_500
"""Records whose cells are clustered; more are sampled down to this. Chosen: bounds time."""


@dataclass(frozen=True)
class Sampling:
    """What a sampler looks at."""

    table: CellTable
    labelled: Positions
    free: Positions
    """Records that may be chosen."""
    probabilities: Callable[[Positions], Probabilities] | None
    """(rows, fields) of faults; None while faulty and sound cannot be told apart."""
    rng: np.random.Generator


def choose(sampling: Sampling, count: int, sampler: str) -> Positions:
    """(count,): different rows of ``sampling.free``.

    Raises:
        EmptyPool: fewer are free.
        UnknownStrategy: no sampler of that name.
    """
    samplers = {RANDOM: _random, MIXTURE: _mixture, CLUSTERING: _clustering}
    if sampler not in samplers:
        raise UnknownStrategy(
            Reason(
                "No sampler '{sampler}'; there are {samplers}.",
                sampler=sampler,
                samplers=list(SAMPLERS),
            )
        )
    if count > len(sampling.free):
        raise EmptyPool(
            f"{count} records are asked for, {len(sampling.free)} are unmarked; ask for fewer."
        )
    if count <= 0:
        return np.zeros(0, dtype=np.intp)
    return samplers[sampler](sampling, count)


def _random(sampling: Sampling, count: int) -> Positions:
    drawn: Positions = sampling.rng.choice(sampling.free, count, replace=False)
    return drawn


def _mixture(sampling: Sampling, count: int) -> Positions:
    """Rows with the largest total entropy, and a share of random ones.

    A column that a chosen row already asks about counts less for the next row of the batch.
    Before faulty and sound fields can be told apart, unusual rows are more likely to be drawn.
    """
    if sampling.probabilities is None:
        return _suspicious(sampling, count)
    open_cells = _entropy(sampling.probabilities(sampling.free))
    weights = np.ones(open_cells.shape[1])
    left = np.ones(len(sampling.free), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < count:
        if sampling.rng.random() < RANDOM_SHARE:
            place = int(sampling.rng.choice(np.flatnonzero(left)))
        else:
            place = int(np.where(left, open_cells @ weights, -1.0).argmax())
            weights *= 1.0 - 0.5 * open_cells[place]
        left[place] = False
        chosen.append(place)
    return sampling.free[chosen]


def _suspicious(sampling: Sampling, count: int) -> Positions:
    """Half random, half drawn with probability proportional to exp(suspicion of the row).

    The suspicion is standardised over the free rows. Random rows show what is usual; without
    them a fault that most records share would not be met.
    """
    rng, free = sampling.rng, sampling.free
    total = sampling.table.suspicion(free).sum(axis=1, dtype=np.float64)
    odds = np.exp((total - total.max()) / max(float(total.std()), 1e-6))
    odds = np.maximum(odds, 1e-12)
    unusual = rng.choice(len(free), count - count // 2, replace=False, p=odds / odds.sum())
    rest = np.setdiff1d(np.arange(len(free)), unusual)
    others = rng.choice(rest, count // 2, replace=False)
    drawn: Positions = free[rng.permutation(np.concatenate([unusual, others]))]
    return drawn


def _entropy(probabilities: Probabilities) -> Scores:
    """Of each cell, in bits."""
    p = np.clip(probabilities, 1e-9, 1 - 1e-9)
    bits: Scores = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    return bits


def _clustering(sampling: Sampling, count: int) -> Positions:
    """Rows whose cells lie in clusters that no marked row has touched (Raha, SIGMOD 2019).

    The cells of each column are clustered by their signals into one cluster more than there will
    be marked rows; a row is drawn with probability proportional to exp(untouched clusters).
    """
    rng, table = sampling.rng, sampling.table
    limit = max(CLUSTERED, count)
    free = sampling.free
    if len(free) > limit:
        free = np.sort(rng.choice(free, limit, replace=False))
    rows = np.concatenate([sampling.labelled, free]).astype(np.intp)
    cells = table.cells[rows]
    spread = cells.std(axis=0)
    scaled = (cells - cells.mean(axis=0)) / np.where(spread > 1e-6, spread, 1.0)
    marked = list(range(len(sampling.labelled)))
    left = np.ones(len(rows), dtype=bool)
    left[marked] = False
    chosen: list[int] = []
    columns = [
        _clusters(scaled[:, column], len(marked) + count + 1, rng)
        for column in range(len(table.fields))
    ]
    for _ in range(count):
        untouched = np.zeros(len(rows))
        for clusters in columns:
            untouched += ~np.isin(clusters, clusters[marked])
        odds = np.where(left, np.exp(untouched - untouched.max()), 0.0)
        place = int(rng.choice(len(rows), p=odds / odds.sum()))
        left[place] = False
        marked.append(place)
        chosen.append(place)
    return rows[chosen]


def _clusters(
    cells: NDArray[np.float32], wanted: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """The cluster of each cell; equal cells share one, so there may be fewer than wanted."""
    distinct, inverse, counts = np.unique(
        cells.round(3), axis=0, return_inverse=True, return_counts=True
    )
    inverse = inverse.reshape(-1)
    if len(distinct) <= wanted:
        return inverse.astype(np.intp)
    means = KMeans(wanted, n_init=1, max_iter=10, random_state=int(rng.integers(2**31)))
    found: NDArray[np.intp] = means.fit_predict(distinct, sample_weight=np.sqrt(counts))[inverse]
    return found
