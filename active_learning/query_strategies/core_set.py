"""Core-set: every record near to a labelled one."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, known_vectors
from active_learning.query_strategies.lazy_greedy import farthest_first
from active_learning.types import Positions, Reason, Scores


class KCenter:
    """Greedy k-center (Sener and Savarese 2018): each pick is the record farthest from all known.

    With no labelled record a random one comes first.
    """

    name = "k_center"
    needs: frozenset[Need] = frozenset()

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) distance to the nearest labelled record; ones where there is none."""
        known = known_vectors(candidates)
        if len(known) == 0:
            return np.ones(len(candidates))
        return candidates.distances.nearest(candidates.vectors, known)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The greedy picks, first pick first."""
        has_known = len(known_vectors(candidates)) > 0
        count = min(count, len(candidates))
        start = scores if has_known else np.full(len(candidates), np.inf)
        first = None if has_known else int(self._rng.integers(len(candidates)))
        return farthest_first(
            candidates.vectors, start, lambda d, _rows, _n: d, count, first, candidates.distances
        )

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """Far from what is known."""
        if len(known_vectors(candidates)) == 0:
            return Reason("unlike every other record of the batch")
        return Reason("far from what is labelled (distance {distance:.2f})", distance=scores[row])
