"""What every query strategy is: scores for all candidates, then a choice of some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Positions, Probabilities, Reason, Scores


@dataclass(frozen=True)
class Candidates:
    """The unlabelled records, row by row, as strategies see them."""

    vectors: NDArray[np.float32]
    """(n, d) where likeness is closeness."""
    suspicion: Scores
    """(n,) larger where a record's signals are less usual; needs no labels."""
    classes: Sequence[str]
    probabilities: Probabilities | None = None
    """(n, classes), or None before the first label."""

    def __len__(self) -> int:
        return len(self.vectors)


class QueryStrategy(Protocol):
    """Chooses what to label next. Equal seeds and inputs give equal choices."""

    @property
    def name(self) -> str:
        """The name in settings and on the command line."""

    @property
    def needs_probabilities(self) -> bool:
        """Whether it works only with a fitted classifier."""

    def score(self, candidates: Candidates) -> Scores:
        """(n,) larger means more worth labelling."""

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """``count`` different rows, most useful first; all rows where there are fewer."""

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """Why this row was chosen."""


def highest(scores: Scores, count: int, rng: np.random.Generator) -> Positions:
    """The ``count`` rows with the highest scores, highest first, ties in random order."""
    count = min(count, len(scores))
    shuffled = rng.permutation(len(scores))
    order = np.argsort(-scores[shuffled], kind="stable")
    return shuffled[order[:count]]


def top_two(candidates: Candidates, row: int) -> tuple[str, str, float, float]:
    """(most probable class, second, probability, probability of the second)."""
    assert candidates.probabilities is not None
    values = candidates.probabilities[row]
    order = np.argsort(-values, kind="stable")
    second = order[1] if len(order) > 1 else order[0]
    return (
        candidates.classes[order[0]],
        candidates.classes[second],
        float(values[order[0]]),
        float(values[second]),
    )
