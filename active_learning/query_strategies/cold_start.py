"""The first batch, without any label: typical records of every kind, sound and suspect."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, completed
from active_learning.query_strategies.clustering import clusters_of
from active_learning.query_strategies.typiclust import typicality
from active_learning.types import Positions, Reason, Scores

SAMPLE = 10_000
"""Candidates that are looked at; a uniform sample of a larger pool. The others score zero."""
NEIGHBOURS = 10
STRATA = 4


class ColdStart:
    """Typical records of clusters (TypiClust, Hacohen et al. 2022), spread over suspicion.

    The pool is cut into quarters by how unusual the records' signals are, and every quarter gives
    the same share: faults hide in the upper quarters, sound records fill the lower ones, so every
    grade is likely to be met in the first batch.
    """

    name = "cold_start"
    needs: frozenset[Need] = frozenset()

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) how typical within the sample; zero for what was not looked at."""
        sample = self._rows(len(candidates))
        out = np.zeros(len(candidates))
        out[sample] = typicality(candidates.vectors[sample], NEIGHBOURS, candidates.distances)
        return out

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The most typical record of every cluster, quarter by quarter of suspicion."""
        n = len(candidates)
        if n <= count:
            return self._rng.permutation(n)
        strata = min(STRATA, count) if np.ptp(candidates.suspicion) > 0 else 1
        ranked = self._rng.permutation(self._rows(n))
        ranked = ranked[np.argsort(candidates.suspicion[ranked], kind="stable")]
        parts = np.array_split(ranked, strata)
        shares = [count // strata + (place < count % strata) for place in range(strata)]
        picks = [
            self._typical(candidates, scores, part, share)
            for part, share in zip(reversed(parts), shares, strict=True)
        ]
        longest = max(len(pick) for pick in picks)
        turns = [pick[turn] for turn in range(longest) for pick in picks if turn < len(pick)]
        chosen = np.array(turns, dtype=np.intp)
        return completed(chosen, scores, count)

    def _rows(self, n: int) -> Positions:
        """The sample; the same at every call for the same n."""
        return np.sort(np.random.default_rng(self._seed).permutation(n)[:SAMPLE])

    def _typical(
        self, candidates: Candidates, scores: Scores, part: Positions, count: int
    ) -> Positions:
        """The most typical row of each of ``count`` clusters, large clusters first."""
        if count >= len(part):
            return part
        clusters = clusters_of(candidates.vectors[part], count, self._seed)
        sizes = np.bincount(clusters, minlength=count)
        chosen = []
        for cluster in np.argsort(-sizes, kind="stable"):
            members = part[clusters == cluster]
            if len(members):
                chosen.append(members[scores[members].argmax()])
        return np.array(chosen, dtype=np.intp)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:  # noqa: ARG002
        """Typical of its group; suspect or not."""
        if candidates.suspicion[row] > np.quantile(candidates.suspicion, 0.75):
            return Reason(
                "typical of its group, with unusual values", "同类中的典型记录，但含异常取值"
            )
        return Reason("typical of its group", "同类中的典型记录")
