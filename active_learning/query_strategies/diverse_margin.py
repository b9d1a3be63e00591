"""Margin with diversity: the ten times most uncertain, then one of each cluster."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, complete, highest
from active_learning.query_strategies.clustering import best_of_each, clusters_of
from active_learning.query_strategies.uncertainty import margin, uncertain_reason
from active_learning.types import Positions, Reason, Scores

PREFILTER = 10
"""Candidates a place. Chosen: the factor of Zhdanov 2019 that trades doubt for diversity."""


class DiverseMargin:
    """Pre-filter by margin, then k-means (Zhdanov 2019); plain margin for two classes.

    With two classes the most uncertain records already lie along one border, and plain margin
    measured better.
    """

    name = "diverse_margin"
    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        self._margin = margin(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) the negated margin."""
        return self._margin.score(candidates)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The most uncertain of each of ``count`` clusters among the 10 x ``count`` first."""
        if len(candidates.classes) <= 2:
            return highest(scores, count, self._rng)
        shortlist = highest(scores, PREFILTER * count, self._rng)
        if len(shortlist) <= count:
            return shortlist
        weights = scores[shortlist] - scores[shortlist].min() + 1e-3
        clusters = clusters_of(candidates.vectors[shortlist], count, self._seed, weights)
        chosen = shortlist[best_of_each(clusters, scores[shortlist])]
        return complete(chosen, scores, count)  # fewer distinct records than clusters

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """The margin, and that it stands for a group."""
        found = uncertain_reason("margin", candidates, float(scores[row]), row)
        if len(candidates.classes) <= 2:
            return found
        return Reason("{reason}; stands for a group of uncertain records", reason=found)
