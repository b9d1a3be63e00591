"""TypiClust: the most typical record of every cluster that holds no label yet."""

import numpy as np
from numpy.typing import NDArray

from active_learning.query_strategies.base import Candidates, Need, complete, known_vectors
from active_learning.query_strategies.clustering import clusters_of
from active_learning.query_strategies.distances import CPU_DISTANCES, Distances
from active_learning.types import Positions, Reason, Scores

SAMPLE = 10_000
"""Candidates that are looked at; a uniform sample of a larger pool. The others score zero. Chosen:
bounds time."""
NEIGHBOURS = 20
"""As in Hacohen et al. 2022."""
MOST_CLUSTERS = 500
"""As in Hacohen et al. 2022."""


def typicality(
    vectors: NDArray[np.float32], neighbours: int, distances: Distances = CPU_DISTANCES
) -> Scores:
    """(n,) 1 / (mean distance to the nearest other rows), bounded where copies coincide."""
    if len(vectors) < 2:
        return np.ones(len(vectors))
    means, count = np.empty(len(vectors)), min(neighbours, len(vectors) - 1)
    for part, _, squares in distances.neighbours(vectors, vectors, count + 1):
        # One of the neighbours is the row itself, at distance zero.
        means[part] = np.sqrt(squares).sum(axis=1) / count
    return 1.0 / (means + 1e-3)


class TypiClust:
    """Typical records of uncovered clusters (Hacohen, Dekel and Weinshall 2022).

    The candidates and the labelled records are cut into as many clusters as there are labelled and
    wanted records (at most 500); clusters with the fewest labelled records come first, large ones
    before small ones, and give their most typical candidate.
    """

    name = "typiclust"
    needs: frozenset[Need] = frozenset()

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._sample = SAMPLE

    def score(self, candidates: Candidates) -> Scores:
        """(n,) how typical within the sample; zero for what was not looked at."""
        sample = self._rows(len(candidates))
        out = np.zeros(len(candidates))
        out[sample] = typicality(candidates.vectors[sample], NEIGHBOURS, candidates.distances)
        return out

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """One row of each cluster in turn until there are ``count``."""
        sample = self._rows(len(candidates))
        known = known_vectors(candidates)
        count = min(count, len(candidates))
        if count == 0:
            return np.zeros(0, dtype=np.intp)
        wanted = min(len(known) + count, MOST_CLUSTERS, len(sample) + len(known))
        clusters = clusters_of(
            np.concatenate([candidates.vectors[sample], known]), max(wanted, 1), self._seed
        )
        ours, theirs = clusters[: len(sample)], clusters[len(sample) :]
        size = int(clusters.max()) + 1
        covered = np.bincount(theirs, minlength=size)
        sizes = np.bincount(ours, minlength=size)
        waiting = {
            cluster: sample[ours == cluster][np.argsort(scores[sample[ours == cluster]])].tolist()
            for cluster in np.flatnonzero(sizes).tolist()
        }
        chosen: list[int] = []
        while waiting and len(chosen) < count:
            cluster = min(waiting, key=lambda c: (covered[c], -len(waiting[c]), c))
            chosen.append(waiting[cluster].pop())
            covered[cluster] += 1
            if not waiting[cluster]:
                del waiting[cluster]
        return complete(np.array(chosen, dtype=np.intp), scores, count)

    def _rows(self, n: int) -> Positions:
        """The sample; the same at every call for the same n."""
        return np.sort(np.random.default_rng(self._seed).permutation(n)[: self._sample])

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:  # noqa: ARG002
        """Typical of a group nobody labelled."""
        return Reason("typical of a group that has few labels or none")
