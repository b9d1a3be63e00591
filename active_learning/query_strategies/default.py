"""The default: margin with diversity, classes that nobody has met yet, and rare ones."""

import numpy as np

from active_learning.query_strategies.base import Candidates, Need, completed
from active_learning.query_strategies.diverse_margin import DiverseMargin
from active_learning.query_strategies.rare_classes import RareClasses, rare_reason
from active_learning.query_strategies.typiclust import TypiClust
from active_learning.types import Positions, Reason, Scores

EARLY_LABELS = 20
"""Labels a class, on average, up to which classes without any label are looked for."""
RARE = 0.3
"""A class is rare where it holds fewer than this share of the labels it would hold if even."""
RARE_SHARE = 0.5


class DefaultChoice:
    """Needs no choosing: a batch of three parts whose sizes follow from the labels so far.

    - Typical records of groups with few labels, while there are few labels in all: the share of
      classes that nobody has met, for no margin leads to them.
    - Likely records of rare classes: half of the rest, where a class is rare.
    - Margin with diversity (plain margin for two classes): what remains.
    """

    name = "default"
    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, *, seed: int) -> None:
        self._margin = DiverseMargin(seed=seed)
        self._typical = TypiClust(seed=seed)
        self._rare = RareClasses(seed=seed)
        self._is_typical: frozenset[int] = frozenset()
        self._is_rare: frozenset[int] = frozenset()

    def score(self, candidates: Candidates) -> Scores:
        """(n,) the negated margin."""
        return self._margin.score(candidates)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """Rare, uncertain and typical rows, in this order."""
        count = min(count, len(candidates))
        rare, typical = shares(candidates.class_counts, count)
        chosen: Positions = np.zeros(0, dtype=np.intp)
        if rare:
            rarity = self._rare.score(candidates)
            chosen = self._rare.select(candidates, rarity, rare)
        self._is_rare = frozenset(chosen.tolist())
        if count > rare + typical:
            unsure = self._margin.select(candidates, scores, count - typical)
            chosen = _joined(chosen, unsure, count - typical)
        before = frozenset(chosen.tolist())
        if typical:
            found = self._typical.select(candidates, self._typical.score(candidates), count)
            chosen = _joined(chosen, found, count)
        self._is_typical = frozenset(chosen.tolist()) - before
        return completed(chosen, scores, count)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """That of the part in which the row was chosen."""
        if row in self._is_rare:
            return rare_reason(candidates, row)
        part = self._typical if row in self._is_typical else self._margin
        return part.reason(candidates, scores, row)


def shares(counts: Scores | None, count: int) -> tuple[int, int]:
    """How many of ``count`` records are chosen as (rare, typical), given the labels so far."""
    if counts is None or len(counts) == 0:
        return 0, 0
    is_early = counts.mean() < EARLY_LABELS
    typical = round(count * float((counts < 0.5).mean())) if is_early else 0
    is_rare = counts.min() < RARE * counts.mean()
    return (round((count - typical) * RARE_SHARE) if is_rare else 0), typical


def _joined(chosen: Positions, more: Positions, count: int) -> Positions:
    """The chosen rows, then others of ``more`` until there are ``count``."""
    fresh = more[~np.isin(more, chosen)]
    return np.concatenate([chosen, fresh[: max(0, count - len(chosen))]])
