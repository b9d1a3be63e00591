"""The first batch, without any label: typical records of every kind, sound and suspect."""

import numpy as np

from active_learning.query_strategies.base import Candidates
from active_learning.query_strategies.clustering import clusters_of
from active_learning.types import Positions, Reason, Scores

SAMPLE = 5_000
"""Candidates that are clustered; a uniform sample of a larger pool."""
NEIGHBOURS = 10
STRATA = 4


class ColdStart:
    """Typical records of clusters (TypiClust, Hacohen et al. 2022), spread over suspicion.

    The pool is cut into quarters by how unusual the records' signals are, and every quarter gives
    the same share: faults hide in the upper quarters, sound records fill the lower ones, so every
    grade is likely to be met in the first batch.
    """

    name = "cold_start"
    needs_probabilities = False

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) how typical: 1 / mean distance to the nearest neighbours within a sample."""
        n = len(candidates)
        if n <= 2:
            return np.ones(n)
        sample = self._rng.permutation(n)[:SAMPLE]
        anchors = candidates.vectors[self._rng.permutation(sample)[:1000]]
        near = min(NEIGHBOURS + 1, len(anchors))
        squares = (anchors**2).sum(axis=1)
        out = np.empty(n)
        for start in range(0, n, 4000):
            rows = candidates.vectors[start : start + 4000]
            distances = (rows**2).sum(axis=1)[:, None] + squares - 2 * rows @ anchors.T
            nearest = np.partition(distances, near - 1, axis=1)[:, :near]
            out[start : start + 4000] = np.sqrt(np.maximum(nearest, 0)).mean(axis=1)
        return 1.0 / (1.0 + out)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The most typical record of every cluster, quarter by quarter of suspicion."""
        n = len(candidates)
        if n <= count:
            return self._rng.permutation(n)
        strata = min(STRATA, count)
        ranked = self._rng.permutation(n)
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
        if len(chosen) < count:
            rest = np.setdiff1d(ranked, chosen)
            rest = rest[np.argsort(-scores[rest], kind="stable")]
            chosen = np.concatenate([chosen, rest[: count - len(chosen)]])
        return chosen

    def _typical(
        self, candidates: Candidates, scores: Scores, part: Positions, count: int
    ) -> Positions:
        """The most typical row of each of ``count`` clusters, large clusters first."""
        if count >= len(part):
            return part
        part = self._rng.permutation(part)[:SAMPLE]
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
