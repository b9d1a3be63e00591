"""Uncertainty sampling with modAL's measures: least confidence, margin, entropy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from modAL.uncertainty import classifier_entropy, classifier_margin, classifier_uncertainty

from active_learning.exceptions import NotFitted
from active_learning.query_strategies.base import Candidates, Need, highest, top_two
from active_learning.types import Positions, Probabilities, Reason, Scores, class_mention


class _KnownProbabilities:
    """The classifier that modAL's measures ask: it answers what was computed already."""

    def predict_proba(self, X: Probabilities) -> Probabilities:
        return X


class UncertaintySampling:
    """The records that the classifier is least sure about (Lewis and Gale 1994).

    Args:
        name: of the strategy.
        measure: modAL's measure; (classifier, X) to (n,).
        sign: 1 where a large measure means uncertain, -1 where a small one does.
        seed: of the order of ties.
    """

    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, name: str, measure: Callable[..., Any], sign: float, *, seed: int) -> None:
        self.name = name
        self._measure = measure
        self._sign = sign
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) the measure, larger for the more uncertain.

        Raises:
            NotFitted: there are no probabilities yet.
        """
        if candidates.probabilities is None:
            raise NotFitted(f"Strategy {self.name} needs a classifier that has seen labels.")
        measured = self._measure(_KnownProbabilities(), candidates.probabilities)
        return self._sign * np.asarray(measured, dtype=np.float64)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:  # noqa: ARG002
        """The ``count`` most uncertain rows, ties in random order."""
        return highest(scores, count, self._rng)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """The two classes that compete, and by how much."""
        return uncertain_reason(self.name, candidates, float(scores[row]), row)


def uncertain_reason(name: str, candidates: Candidates, score: float, row: int) -> Reason:
    """What the measure says about the row, in words."""
    first, second, best, next_best = top_two(candidates, row)
    likely = class_mention(first)
    if name == "entropy":
        return Reason(
            "entropy {score:.2f}; most probably {grade} ({best:.2f})",
            score=score,
            grade=likely,
            best=best,
        )
    if name == "least_confidence":
        return Reason("confidence only {best:.2f} in {grade}", best=best, grade=likely)
    return Reason(
        "margin {margin:.2f} between {first} and {second}",
        margin=best - next_best,
        first=likely,
        second=class_mention(second),
    )


def least_confidence(seed: int) -> UncertaintySampling:
    """1 - max p."""
    return UncertaintySampling("least_confidence", classifier_uncertainty, 1.0, seed=seed)


def margin(seed: int) -> UncertaintySampling:
    """-(p1 - p2), the two largest probabilities (Scheffer, Decomain and Wrobel 2001)."""
    return UncertaintySampling("margin", classifier_margin, -1.0, seed=seed)


def entropy(seed: int) -> UncertaintySampling:
    """-sum p log p."""
    return UncertaintySampling("entropy", classifier_entropy, 1.0, seed=seed)
