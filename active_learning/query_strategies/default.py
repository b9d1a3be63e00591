"""The default: margin with diversity, classes that nobody has met yet, and rare ones."""

import numpy as np

from active_learning.query_strategies.base import (
    Candidates,
    Need,
    chances_of,
    complete,
    probabilities_of,
    resolution,
)
from active_learning.query_strategies.diverse_margin import DiverseMargin
from active_learning.query_strategies.rare_classes import RareClasses, rare_reason
from active_learning.query_strategies.typiclust import TypiClust
from active_learning.types import Positions, Probabilities, Reason, Scores

EARLY_LABELS = 20
"""Labels a class, on average, up to which classes without any label are looked for. Chosen, as the
next four are; ``benchmarks.learning_curves`` measures them together, as one strategy."""
RARE = 0.3
"""A class is rare where it holds fewer than this share of the labels it would hold if even."""
RARE_SHARE = 0.5
"""Of a batch where a class is rare; the other half goes on as it would."""
RESOLUTIONS = (0.1, 0.3)
"""Up to the first, doubt chooses nothing; from the second on, all but the typical records."""
SCARCITIES = (0.1, 0.2)
"""A class is scarce in the pool where it is expected to hold less of its even share than these:
surely below the first, not from the second on."""
UNMET = 1e-6
"""Mean probability of a class that has no label yet."""
CHANCE_REASON = Reason("drawn at random, for the classifier hardly tells the classes apart yet")


class DefaultChoice:
    """Needs no choosing: a batch of four parts whose sizes follow from labels and classifier.

    - Typical records of groups with few labels, while there are few labels in all: the share of
      classes that nobody has met, for no margin leads to them.
    - Likely records of rare classes: half of the rest, where a class is rare.
    - Margin with diversity (plain margin for two classes): what remains.
    - Records drawn at random, in the place of rare and uncertain ones, as far as the classifier's
      probabilities hardly tell the records apart (:func:`trust`). Margins close to chance rank
      noise: what they choose shifts the mix of the classes and teaches less than chance
      (uncertainty pays above a certain skill only: Hacohen, Dekel and Weinshall 2022).
    """

    name = "default"
    needs: frozenset[Need] = frozenset({"probabilities"})

    def __init__(self, *, seed: int) -> None:
        self._margin = DiverseMargin(seed=seed)
        self._typical = TypiClust(seed=seed)
        self._rare = RareClasses(seed=seed)
        self._rng = np.random.default_rng(seed)
        self._is_typical: frozenset[int] = frozenset()
        self._is_rare: frozenset[int] = frozenset()
        self._is_chance: frozenset[int] = frozenset()

    def score(self, candidates: Candidates) -> Scores:
        """(n,) the negated margin."""
        return self._margin.score(candidates)

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """Rare, uncertain, typical and random rows, in this order."""
        count = min(count, len(candidates))
        rare, typical = shares(candidates.class_counts, count)
        trusted = trust(probabilities_of(candidates, self.name))
        rare, aimed = round(rare * trusted), typical + round((count - typical) * trusted)
        chosen: Positions = np.zeros(0, dtype=np.intp)
        if rare:
            rarity = self._rare.score(candidates)
            chosen = self._rare.select(candidates, rarity, rare)
        self._is_rare = frozenset(chosen.tolist())
        if aimed > rare + typical:
            unsure = self._margin.select(candidates, scores, aimed - typical)
            chosen = _join(chosen, unsure, aimed - typical)
        before = frozenset(chosen.tolist())
        if typical:
            found = self._typical.select(candidates, self._typical.score(candidates), count)
            chosen = _join(chosen, found, aimed)
        self._is_typical = frozenset(chosen.tolist()) - before
        before = frozenset(chosen.tolist())
        if count > len(chosen) and trusted < 1.0:
            by_chance = np.argsort(-chances_of(candidates, self._rng), kind="stable")
            chosen = _join(chosen, by_chance, count)
        self._is_chance = frozenset(chosen.tolist()) - before
        return complete(chosen, scores, count)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """That of the part in which the row was chosen."""
        if row in self._is_rare:
            return rare_reason(candidates, row)
        if row in self._is_chance:
            return CHANCE_REASON
        part = self._typical if row in self._is_typical else self._margin
        return part.reason(candidates, scores, row)


def shares(counts: Scores | None, count: int) -> tuple[int, int]:
    """How many of ``count`` records are rare ones and typical ones, by the labels (classes,)."""
    if counts is None or len(counts) == 0:
        return 0, 0
    is_early = counts.mean() < EARLY_LABELS
    typical = round(count * float((counts < 0.5).mean())) if is_early else 0
    is_rare = counts.min() < RARE * counts.mean()
    return (round((count - typical) * RARE_SHARE) if is_rare else 0), typical


def trust(probabilities: Probabilities) -> float:
    """Share of the rare and uncertain records that are chosen as such, from 0 to 1.

    ``probabilities`` are (n, classes).

    It grows with the resolution of the probabilities. These are calibrated out of fold, so they
    are flat where the labels cannot be learnt, or not yet. A class that the pool hardly holds is
    looked for all the same: chance would not meet it, and so few records hardly count in the
    resolution. Classes without labels have no say.
    """
    means = probabilities.mean(axis=0)
    met = means[means > UNMET]
    if len(met) < 2:
        return 1.0
    scarcest = float(met.min()) * probabilities.shape[1]
    return max(
        _rise(resolution(probabilities), *RESOLUTIONS),
        1.0 - _rise(scarcest, *SCARCITIES),
    )


def _rise(value: float, low: float, high: float) -> float:
    """0 up to ``low``, 1 from ``high`` on, straight between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _join(chosen: Positions, more: Positions, count: int) -> Positions:
    """The chosen rows, then others of ``more`` until there are ``count``."""
    fresh = more[~np.isin(more, chosen)]
    return np.concatenate([chosen, fresh[: max(0, count - len(chosen))]])
