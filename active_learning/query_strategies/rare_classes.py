"""Rare classes: records that may belong to a class with few labels."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, highest, probabilities_of
from active_learning.types import Positions, Probabilities, Reason, Scores, class_mention


def rarity(counts: Scores | None, probabilities: Probabilities) -> Scores:
    """(classes,) weight of each class, larger for those with fewer labels; the rarest has one.

    Without counts, the classes that the classifier expects least are the rare ones.
    """
    known = probabilities.sum(axis=0) if counts is None else np.asarray(counts, np.float64)
    weights = 1.0 / (known + 1.0)
    return np.asarray(weights / weights.max(), dtype=np.float64)


class RareClasses:
    """The records most likely to be of the classes that have the fewest labels.

    A record scores the sum over classes of probability times rarity, so with one rare class it
    is the probability of that class, and with equally many labels everywhere all score alike.
    """

    name = "rare_classes"
    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) expected rarity of the class."""
        probabilities = probabilities_of(candidates, self.name)
        return np.asarray(probabilities @ rarity(candidates.class_counts, probabilities))

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:  # noqa: ARG002
        """The ``count`` rows with the highest expected rarity, ties in random order."""
        return highest(scores, count, self._rng)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:  # noqa: ARG002
        """Which rare class it may be."""
        return rare_reason(candidates, row)


def rare_reason(candidates: Candidates, row: int) -> Reason:
    """The rare class that the row most likely belongs to, and how likely."""
    probabilities = probabilities_of(candidates, "rare_classes")
    weights = rarity(candidates.class_counts, probabilities)
    place = int((probabilities[row] * weights).argmax())
    name, likely = class_mention(candidates.classes[place]), float(probabilities[row, place])
    if candidates.class_counts is None:
        return Reason("may be {grade} ({likely:.2f}), which is rare", grade=name, likely=likely)
    return Reason.ngettext(
        "may be {grade} ({likely:.2f}), which has only {n} label",
        "may be {grade} ({likely:.2f}), which has only {n} labels",
        n=int(candidates.class_counts[place]),
        grade=name,
        likely=likely,
    )
