"""Uniform random choice: the baseline, and the only honest sample for accuracy."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, chances_of
from active_learning.types import Positions, Reason, Scores

AUDIT_REASON = Reason("drawn at random to measure accuracy")
RANDOM_REASON = Reason("drawn at random so that nothing is overlooked")


class RandomSampling:
    """Every subset of the asked size is equally likely."""

    name = "random"
    needs: frozenset[Need] = frozenset()

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) independent uniform numbers: the highest are a uniform draw."""
        return chances_of(candidates, self._rng)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """The rows with the highest numbers."""
        return np.argsort(-scores, kind="stable")[: min(count, len(candidates))]

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:  # noqa: ARG002
        """Chance."""
        return RANDOM_REASON
