"""The first batch, without any label: every record has the same chance, every kind is met."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, completed
from active_learning.query_strategies.clustering import clusters_of, in_order_of_likeness
from active_learning.types import Positions, Reason, Scores

SAMPLE = 10_000
"""Candidates that are looked at, a uniform sample of a larger pool; the others score zero."""
STRATA = 4


class ColdStart:
    """A systematic sample along an order in which records that are alike are neighbours.

    The pool is put in order by how unusual the records' signals are, in quarters, and within these
    by clusters of their vectors, like ones side by side; then every k-th record is taken from a
    random start (Cochran, Sampling Techniques, 1977, ch. 8). Each record has the same chance to be
    chosen, as with random choice, but no large group is passed over and none is met twice as often
    as its size: grades that go with suspicion or with text are met in the shares in which the pool
    holds them.
    """

    name = "cold_start"
    needs: frozenset[Need] = frozenset()

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def score(self, candidates: Candidates) -> Scores:
        """(n,) independent uniform numbers above zero; zero for what is not looked at."""
        rows, rng = self._rows(len(candidates)), np.random.default_rng(self._seed)
        out = np.zeros(len(candidates))
        out[rows] = 1.0 - rng.random(len(rows))
        return out

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The systematic sample, in random order."""
        rows, rng = self._rows(len(candidates)), np.random.default_rng(self._seed)
        if count >= len(rows):
            return completed(rng.permutation(rows), scores, count)
        order = rows[self._neighbours(candidates, scores, rows, count)]
        steps = (np.arange(count) + rng.random()) * (len(order) / count)
        return rng.permutation(order[np.minimum(steps.astype(np.intp), len(order) - 1)])

    def _rows(self, n: int) -> Positions:
        """The sample; the same at every call for the same n."""
        return np.sort(np.random.default_rng(self._seed).permutation(n)[:SAMPLE])

    def _neighbours(
        self, candidates: Candidates, scores: Scores, rows: Positions, count: int
    ) -> Positions:
        """(len(rows),) an order by quarter of suspicion, then by cluster, then by chance."""
        suspicion = candidates.suspicion[rows]
        strata = min(STRATA, count) if np.ptp(suspicion) > 0 else 1
        by_suspicion = np.lexsort((scores[rows], suspicion))
        parts = []
        for part in np.array_split(by_suspicion, strata):
            vectors = candidates.vectors[rows[part]]
            clusters = clusters_of(vectors, -(-count // strata), self._seed)
            places = in_order_of_likeness(vectors, clusters)
            parts.append(part[np.lexsort((scores[rows[part]], places))])
        return np.concatenate(parts)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:  # noqa: ARG002
        """One of its kind; suspect or not."""
        if candidates.suspicion[row] > np.quantile(candidates.suspicion, 0.75):
            return Reason(
                "stands for records like it, with unusual values", "代表同类记录，且含异常取值"
            )
        return Reason("stands for records like it", "代表同类记录")
