"""Ranked batch: uncertain records, each far from what is labelled and from the batch so far."""

import numpy as np

from active_learning.query_strategies.base import (
    Candidates,
    Need,
    known_vectors,
    probabilities_of,
)
from active_learning.query_strategies.lazy_greedy import farthest_first
from active_learning.query_strategies.uncertainty import uncertain_reason
from active_learning.types import Positions, Reason, Scores


class RankedBatch:
    """Ranked batch-mode sampling (Cardoso et al. 2017): modAL's picks, distances incremental.

    A pick has the highest ``a (1 - 1 / (1 + distance)) + (1 - a) (1 - max p)`` where ``a`` is the
    share of unlabelled among all records and ``distance`` leads to the nearest known record. With
    no labelled record the most uncertain one comes first.
    """

    name = "ranked_batch"
    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) 1 - max p."""
        return np.asarray(1.0 - probabilities_of(candidates, self.name).max(axis=1))

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The ranked batch, first pick first."""
        n, known = len(candidates), known_vectors(candidates)
        count = min(count, n)

        def worth(distances: Scores, rows: Positions | slice, picks: int) -> Scores:
            share = (n - picks) / (n + len(known))
            return share * (1.0 - 1.0 / (1.0 + distances)) + (1.0 - share) * scores[rows]

        first = None if len(known) else int(np.argmax(scores))
        distances = candidates.distances.nearest(candidates.vectors, known)
        return farthest_first(
            candidates.vectors, distances, worth, count, first, candidates.distances
        )

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """Unsure, and unlike what is known."""
        found = uncertain_reason("least_confidence", candidates, float(scores[row]), row)
        return Reason("{reason}; far from what is labelled", reason=found)
