"""CAL: records that the classifier judges unlike their labelled neighbours."""

import numpy as np
from numpy.typing import NDArray

from active_learning.query_strategies.base import (
    Candidates,
    Need,
    highest,
    labelled_candidates,
    probabilities_of,
    top_two,
)
from active_learning.types import Positions, Reason, Scores, class_mention

NEIGHBOURS = 10
"""As in Margatina et al. 2021."""


class ContrastiveSampling:
    """Contrastive active learning (Margatina et al. 2021).

    A record scores the mean Kullback-Leibler divergence from the probabilities of its 10 nearest
    labelled records to its own.
    """

    name = "cal"
    needs: frozenset[Need] = frozenset({"probabilities", "labelled"})

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) mean KL(neighbour, record), in nats.

        Raises:
            NotFitted: there are no probabilities yet.
            NoLabels: there is no labelled record to compare with.
        """
        own = probabilities_of(candidates, self.name)
        vectors, known = labelled_candidates(candidates, self.name)
        negative_entropy, known = _negative_entropies(known), np.asarray(known, np.float64)
        out = np.empty(len(own))
        found = candidates.distances.neighbours(candidates.vectors, vectors, NEIGHBOURS)
        for rows, near, _ in found:
            logs = np.log(np.maximum(own[rows], 1e-12))
            crossed = np.einsum("nc,nc->n", known[near].mean(axis=1), logs)
            out[rows] = negative_entropy[near].mean(axis=1) - crossed
        return out

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:  # noqa: ARG002
        """The ``count`` most contrastive rows, ties in random order."""
        return highest(scores, count, self._rng)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """Like its neighbours, judged otherwise."""
        likeliest, _, best, _ = top_two(candidates, row)
        return Reason(
            "judged {grade} ({best:.2f}), unlike the labelled records most like it "
            "(divergence {score:.2f})",
            grade=class_mention(likeliest),
            best=best,
            score=scores[row],
        )


def _negative_entropies(probabilities: NDArray[np.float64]) -> Scores:
    """(n,) sum p log p."""
    logs = np.log(np.maximum(probabilities, 1e-12))
    return np.asarray((probabilities * logs).sum(axis=1), dtype=np.float64)
