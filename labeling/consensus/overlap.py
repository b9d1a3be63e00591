"""Adaptive overlap: ask one more annotator only where it is still open what is right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.answer_model import AnswerModel, ClassProbabilities, answer_model
from labeling.consensus.base import LabelFrame
from labeling.consensus.overlap_words import Ground, because, saving_in_words
from labeling.consensus.prior_weight import choose_prior_weight
from labeling.consensus.words import Words


@dataclass(frozen=True)
class OverlapPolicy:
    """When an item has answers enough.

    Attributes:
        least: answers every item gets.
        most: answers no item goes beyond.
        confidence: the probability from which a label is sure enough.
        shared: share of items answered by ``most`` annotators whatever they say, drawn at
            random: what the annotators' reliability is measured on.
        mean_votes: answers an item on average never to go beyond; None sets no budget.
    """

    least: int = 1
    most: int = 3
    confidence: float = 0.95
    shared: float = 0.05
    mean_votes: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise ValueError(f"least={self.least}, most={self.most}: need 1 <= least <= most")
        if not 0 < self.confidence <= 1:
            raise ValueError(f"confidence={self.confidence}: must be above 0 and at most 1")
        if not 0 <= self.shared <= 1:
            raise ValueError(f"shared={self.shared}: must be between 0 and 1")
        if self.mean_votes is not None and self.mean_votes < self.least:
            raise ValueError(
                f"mean_votes={self.mean_votes} is below least={self.least}: raise it or lower least"
            )


@dataclass(frozen=True)
class OverlapDecision:
    """Whether one more annotator is asked about an item, and why."""

    item: int
    wanted: bool
    votes: int
    label: str | None
    confidence: float | None
    ground: Ground
    reason: Words


class OverlapPlan(Mapping[int, OverlapDecision]):
    """Item id to decision, for every item with an answer or a probability.

    Attributes:
        model: what was estimated of items and annotators.
        wanted: (n,) whether another annotator is asked, rows as ``model.items``.
        votes: answers given so far.
        fixed_votes: answers that ``most`` for every item would take.
    """

    def __init__(
        self, policy: OverlapPolicy, model: AnswerModel, grounds: NDArray[np.object_]
    ) -> None:
        self.policy = policy
        self.model = model
        self.grounds = grounds
        self.wanted: NDArray[np.bool_] = np.array(
            [ground.is_asking for ground in grounds], dtype=bool
        )
        self.votes = int(model.votes.sum())
        self.fixed_votes = policy.most * len(model.items)
        self._rows = {item: row for row, item in enumerate(model.items.tolist())}

    @property
    def saved(self) -> int:
        """Answers that fixed overlap would take beyond those given and those asked for now."""
        return self.fixed_votes - self.votes - int(self.wanted.sum())

    @property
    def saving(self) -> float | None:
        """``saved`` as a share of the fixed overlap's answers; None without items."""
        return self.saved / self.fixed_votes if self.fixed_votes else None

    def in_words(self) -> Words:
        """The saving for people."""
        return saving_in_words(
            self.votes, int(self.wanted.sum()), self.fixed_votes, self.policy.most
        )

    def items_wanted(self) -> list[int]:
        """Items to ask another annotator about, least sure first."""
        rows = np.flatnonzero(self.wanted)
        sure = self.model.posterior[rows].max(axis=1) if len(rows) else np.zeros(0)
        return [int(item) for item in self.model.items[rows[np.argsort(sure, kind="stable")]]]

    def __getitem__(self, item: int) -> OverlapDecision:
        row = self._rows[item]
        model = self.model
        votes = int(model.votes[row].sum())
        label, sure = None, None
        if votes or model.has_prior[row]:
            best = int(model.posterior[row].argmax())
            label, sure = model.classes[best], float(model.posterior[row, best])
        ground: Ground = self.grounds[row]
        reason = because(
            ground,
            votes=votes,
            least=self.policy.least,
            most=self.policy.most,
            target=self.policy.confidence,
            label=label,
            confidence=sure,
            answered=model.classes[int(model.votes[row].argmax())] if model.classes else "",
            expected=model.classes[int(model.prior[row].argmax())] if model.classes else "",
        )
        return OverlapDecision(item, ground.is_asking, votes, label, sure, ground, reason)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def plan_overlap(
    frame: LabelFrame,
    policy: OverlapPolicy,
    *,
    probabilities: ClassProbabilities | None = None,
    prior_weight: float | None = None,
    seed: int = 0,
) -> OverlapPlan:
    """Decide for every item whether one more annotator is wanted.

    An item is asked about again while it has fewer than ``least`` answers, belongs to the random
    share that everybody answers, or its most probable class stays below ``confidence``; never
    beyond ``most``. Under a budget the least sure come first. The same ``seed`` draws the same
    shared items, also after others came. ``prior_weight`` is what the classifier counts against
    one answer; by default it is chosen by how well hidden answers are foretold.
    """
    if prior_weight is None and probabilities is not None:
        prior_weight = choose_prior_weight(
            frame,
            probabilities,
            np.random.default_rng(seed),
            among=is_shared(frame.items, policy.shared, seed),
        )
    model = answer_model(
        frame, probabilities, prior_weight=1.0 if prior_weight is None else prior_weight
    )
    n = len(model.items)
    votes = model.votes.sum(axis=1)
    sure = model.posterior.max(axis=1) if n and len(model.classes) else np.zeros(n)
    several = (model.votes > 0).sum(axis=1) > 1
    against = model.has_prior & (votes > 0)
    if n and len(model.classes):
        against &= model.votes.argmax(axis=1) != model.prior.argmax(axis=1)
    grounds = np.full(n, Ground.SURE, dtype=object)
    unsure = sure < policy.confidence
    grounds[unsure] = Ground.UNSURE
    grounds[unsure & against] = Ground.MODEL_DISAGREES
    grounds[unsure & several] = Ground.ANNOTATORS_DISAGREE
    grounds[is_shared(model.items, policy.shared, seed)] = Ground.SHARED
    grounds[votes < policy.least] = Ground.TOO_FEW
    grounds[votes >= policy.most] = Ground.MOST
    if policy.mean_votes is not None:
        _keep_budget(grounds, votes, sure, policy.mean_votes)
    return OverlapPlan(policy, model, grounds)


def is_shared(items: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """(n,) a random ``share`` of items; an item's draw depends on its id and the seed alone."""
    # SplitMix64 (Steele, Lea, Flood 2014): equal ids fall equally on every machine.
    with np.errstate(over="ignore"):
        mixed = items.astype(np.uint64) + np.uint64(seed % 2**32 + 1) * np.uint64(
            0x9E3779B97F4A7C15
        )
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53 < share)


def _keep_budget(
    grounds: NDArray[np.object_],
    votes: NDArray[np.int64],
    sure: NDArray[np.float64],
    mean_votes: float,
) -> None:
    """Leave of the asking grounds only as many as the budget has answers, ``least`` first."""
    asking = np.array([ground.is_asking for ground in grounds], dtype=bool)
    rows = np.flatnonzero(asking)
    urgency = np.array([grounds[row].urgency for row in rows], dtype=np.int64)
    affordable = max(0, int(np.floor(mean_votes * len(votes) + 1e-9)) - int(votes.sum()))
    ranked = rows[np.lexsort((sure[rows], urgency))]
    grounds[ranked[affordable:]] = Ground.BUDGET
