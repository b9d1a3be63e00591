"""Weighted k-means: the batch stands for the regions where the classifier is unsure."""

import numpy as np

from active_learning.query_strategies.base import (
    Candidates,
    Need,
    complete,
    margins,
    probabilities_of,
)
from active_learning.query_strategies.clustering import clusters_of
from active_learning.query_strategies.uncertainty import uncertain_reason
from active_learning.types import Positions, Reason, Scores

SAMPLE = 20_000
"""Candidates that are clustered; a uniform sample of a larger pool. Chosen: bounds time."""


class WeightedKMeans:
    """k-means of the vectors weighted by uncertainty; the record nearest to each centre.

    Zhdanov (2019) without the pre-filter: the whole pool is clustered.
    """

    name = "weighted_kmeans"
    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) 1 - margin."""
        return 1.0 - margins(probabilities_of(candidates, self.name))

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The row nearest to each of ``count`` centres, heaviest cluster first."""
        sample = np.sort(self._rng.permutation(len(candidates))[: max(SAMPLE, 2 * count)])
        vectors, weights = candidates.vectors[sample], scores[sample] + 1e-6
        clusters = clusters_of(vectors, min(count, len(sample)), self._seed, weights)
        picks, masses = [], []
        for cluster in np.unique(clusters):
            members = np.flatnonzero(clusters == cluster)
            share = weights[members] / weights[members].sum()
            centre = share @ vectors[members]
            gaps = ((vectors[members] - centre) ** 2).sum(axis=1)
            picks.append(sample[members[gaps.argmin()]])
            masses.append(weights[members].sum())
        order = np.argsort(-np.array(masses), kind="stable")
        return complete(np.array(picks, dtype=np.intp)[order], scores, count)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:  # noqa: ARG002
        """The centre of a region."""
        found = uncertain_reason("margin", candidates, 0.0, row)
        return Reason("centre of a group of uncertain records; {reason}", reason=found)
