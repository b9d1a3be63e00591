"""BADGE: records whose loss gradients would be large and unlike each other."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, probabilities_of
from active_learning.query_strategies.uncertainty import uncertain_reason
from active_learning.query_strategies.vectors import chunks
from active_learning.types import Positions, Reason, Scores


class Badge:
    """k-means++ over gradient embeddings (Ash et al. 2020), exact and without building them.

    The gradient embedding of a record is the outer product of ``a = p - onehot(argmax p)`` and
    its vector ``x``; the inner product of two is ``<a_i, a_j> <x_i, x_j>``, so each pick costs one
    pass over the pool and no memory beyond (n,), on a GPU those of the vectors.
    """

    name = "badge"
    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) length of the gradient embedding, ``|a| |x|``."""
        residuals = _residuals(candidates, self.name)
        lengths = np.empty(len(candidates))
        for rows in chunks(len(candidates)):
            part = candidates.vectors[rows]
            lengths[rows] = np.sqrt(np.einsum("ij,ij->i", part, part))
        return np.asarray(np.linalg.norm(residuals, axis=1) * lengths, dtype=np.float64)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The longest gradient, then each with a probability of its squared distance."""
        n = len(candidates)
        count = min(count, n)
        residuals, squares = _residuals(candidates, self.name), scores**2
        vectors = candidates.vectors
        products = candidates.distances.products(vectors)
        nearest = np.full(n, np.inf)
        is_open = np.ones(n, dtype=bool)
        chosen = [int(np.argmax(scores))] if count else []
        while chosen:
            row = chosen[-1]
            is_open[row] = False
            if len(chosen) == count:
                break
            pick = vectors[row : row + 1][0]
            for rows, alike in products(pick):
                inner = alike * (residuals[rows] @ residuals[row])
                gaps = squares[rows] + squares[row] - 2.0 * inner
                np.minimum(nearest[rows], np.maximum(gaps, 0.0), out=nearest[rows])
            weights = np.cumsum(np.where(is_open, nearest, 0.0))
            if weights[-1] > 0:
                drawn = int(np.searchsorted(weights, self._rng.random() * weights[-1], "right"))
                drawn = min(drawn, n - 1)
            if weights[-1] <= 0 or not is_open[drawn]:  # only copies of the chosen are left
                drawn = int(self._rng.choice(np.flatnonzero(is_open)))
            chosen.append(drawn)
        return np.array(chosen, dtype=np.intp)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """What the model would learn."""
        found = uncertain_reason("margin", candidates, 0.0, row)
        return Reason(
            "its label would change the model much ({score:.2f}) and unlike the others; {reason}",
            score=scores[row],
            reason=found,
        )


def _residuals(candidates: Candidates, name: str) -> Scores:
    """(n, classes) p - onehot(argmax p)."""
    probabilities = probabilities_of(candidates, name)
    out = probabilities.astype(np.float64, copy=True)
    out[np.arange(len(out)), probabilities.argmax(axis=1)] -= 1.0
    return out
