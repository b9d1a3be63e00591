"""BALD: what a classifier with parts of its input dropped cannot agree on with itself."""

import numpy as np

from active_learning.exceptions import NotFitted
from active_learning.query_strategies.base import Candidates, Need, entropies, highest, top_two
from active_learning.query_strategies.vectors import chunks
from active_learning.types import Positions, Reason, Scores, class_mention


class Bald:
    """Mutual information of label and weights by MC-dropout (Houlsby 2011, Gal et al. 2017)."""

    name = "bald"
    needs: frozenset[Need] = frozenset({"probabilities", "dropout"})

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) H(mean of the samples) - mean of H(sample), in nats.

        Raises:
            NotFitted: there are no samples yet.
        """
        samples = candidates.dropout
        if samples is None:
            raise NotFitted("Strategy bald needs a classifier that has seen labels.")
        out = np.empty(len(candidates))
        for rows in chunks(len(candidates)):
            part = samples[:, rows].astype(np.float64)
            out[rows] = entropies(part.mean(axis=0)) - entropies(part).mean(axis=0)
        return np.maximum(out, 0.0)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:  # noqa: ARG002
        """The ``count`` rows with the highest information, ties in random order."""
        return highest(scores, count, self._rng)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """How unstable the answer is."""
        first, second = map(class_mention, top_two(candidates, row)[:2])
        return Reason(
            "the model contradicts itself between {first} and {second} when parts of the record "
            "are hidden (information {score:.3f})",
            first=first,
            second=second,
            score=scores[row],
        )
