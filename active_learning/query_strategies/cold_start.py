"""The first batch, without any label: every kind with its share, or prototypes of each."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, complete
from active_learning.query_strategies.clustering import clusters_of, in_order_of_likeness
from active_learning.query_strategies.typiclust import typicality
from active_learning.types import Positions, Reason, Scores

SAMPLE = 10_000
"""Candidates that are looked at, a uniform sample of a larger pool. The others score zero. Chosen:
bounds time."""
NEIGHBOURS = 10
"""Chosen: half of TypiClust's 20; a first batch cuts quarters of the pool into small clusters."""
STRATA = 4
"""Quarters by how unusual the signals are. Chosen."""
FEW_A_CLASS = 6
"""Labels a class below which typical records teach more than a sample of all. Chosen."""
TYPICAL_SHARE = 0.7
"""Chosen: the rest is the systematic sample, which no cluster is too odd for."""


class ColdStart:
    """A systematic sample; where it is small for so many classes, mostly typical records instead.

    Both cut the pool into quarters by how unusual the records' signals are, and cluster each:
    faults hide in the upper quarters, sound records fill the lower ones.

    - The systematic sample takes every k-th record, from a random start, along an order in which
      records that are alike are neighbours (Cochran, Sampling Techniques, 1977, ch. 8). Each record
      has the same chance, as with random choice, but no large group is passed over, and none is met
      more often than by its size.
    - Typical records are the densest of each cluster (TypiClust, Hacohen et al. 2022). With few
      labels a class they are its prototypes; with more they show too little of it.
    """

    name = "cold_start"
    needs: frozenset[Need] = frozenset()

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._is_typical: frozenset[int] = frozenset()

    def score(self, candidates: Candidates) -> Scores:
        """(n,) how typical within the sample; zero for what was not looked at."""
        sample = self._rows(len(candidates))
        out = np.zeros(len(candidates))
        out[sample] = typicality(candidates.vectors[sample], NEIGHBOURS, candidates.distances)
        return out

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """Typical records, if any, and the sample, in random order."""
        rng = np.random.default_rng(self._seed)
        rows = rng.permutation(self._rows(len(candidates)))
        if count >= len(rows):
            return complete(rows, scores, count)
        is_small = count < FEW_A_CLASS * len(candidates.classes)
        wanted = round(TYPICAL_SHARE * count) if is_small else 0
        typical = self._typical(candidates, scores, rows, wanted)
        self._is_typical = frozenset(typical.tolist())
        rest = rows[~np.isin(rows, typical)]
        drawn = self._systematic(candidates, rest, count - len(typical), rng)
        return rng.permutation(np.concatenate([typical, drawn]))

    def _rows(self, n: int) -> Positions:
        """The sample; the same at every call for the same n."""
        return np.sort(np.random.default_rng(self._seed).permutation(n)[:SAMPLE])

    def _systematic(
        self, candidates: Candidates, rows: Positions, count: int, rng: np.random.Generator
    ) -> Positions:
        """``count`` of the rows, each with the same chance."""
        if count == 0:
            return rows[:0]
        parts = _quarters(candidates, rows, count)
        order = np.concatenate(
            [self._by_likeness(candidates, part, -(-count // len(parts))) for part in parts]
        )
        steps = (np.arange(count) + rng.random()) * (len(order) / count)
        chosen: Positions = order[np.minimum(steps.astype(np.intp), len(order) - 1)]
        return chosen

    def _by_likeness(self, candidates: Candidates, rows: Positions, clusters: int) -> Positions:
        """The rows, cluster by cluster, like clusters side by side."""
        vectors = candidates.vectors[rows]
        places = in_order_of_likeness(vectors, clusters_of(vectors, clusters, self._seed))
        return rows[np.argsort(places, kind="stable")]

    def _typical(
        self, candidates: Candidates, scores: Scores, rows: Positions, count: int
    ) -> Positions:
        """The most typical row of each of ``count`` clusters, spread over the quarters."""
        if count == 0:
            return rows[:0]
        parts = _quarters(candidates, rows, count)
        chosen = []
        for place, part in enumerate(reversed(parts)):
            share = count // len(parts) + (place < count % len(parts))
            clusters = clusters_of(candidates.vectors[part], share, self._seed)
            chosen += [
                members[scores[members].argmax()]
                for members in (part[clusters == cluster] for cluster in np.unique(clusters))
            ]
        return np.array(chosen[:count], dtype=np.intp)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:  # noqa: ARG002
        """Typical or one of its kind; suspect or not."""
        what = (
            Reason("typical of its group")
            if row in self._is_typical
            else Reason("stands for records like it")
        )
        if candidates.suspicion[row] > np.quantile(candidates.suspicion, 0.75):
            return Reason("{reason}, with unusual values", reason=what)
        return what


def _quarters(candidates: Candidates, rows: Positions, count: int) -> list[Positions]:
    """The rows by rising suspicion, in parts of equal size; one part where all are alike."""
    suspicion = candidates.suspicion[rows]
    if np.ptp(suspicion) == 0:
        return [rows]
    ranked = rows[np.argsort(suspicion, kind="stable")]
    return np.array_split(ranked, max(1, min(STRATA, count)))
