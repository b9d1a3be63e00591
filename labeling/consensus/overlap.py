"""Adaptive overlap: ask one more annotator only where it is still open what is right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.overlap_words import OverlapReason, because, saving_in_words
from labeling.consensus.posterior import UNCHECKED, ConsensusResult
from labeling.words import Words


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
    """Whether one more annotator is asked about an item, and why.

    ``label`` and ``confidence`` are the consensus's: None for a tie, and no confidence while no
    item has two answers.
    """

    item: int
    wanted: bool
    votes: int
    label: str | None
    confidence: float | None
    reason: OverlapReason
    words: Words


class OverlapPlan(Mapping[int, OverlapDecision]):
    """Item id to decision, for every item with an answer.

    Attributes:
        consensus: of the items, as the desk shows it.
        wanted: (I,) whether another annotator is asked, rows as ``consensus.item_ids``.
        votes: answers given so far.
        fixed_votes: answers that ``most`` for every item would take.
    """

    def __init__(
        self,
        policy: OverlapPolicy,
        consensus: ConsensusResult,
        reasons: NDArray[np.object_],
        expected: NDArray[np.object_],
    ) -> None:
        """``reasons`` (I,) decided; ``expected`` (I,) is the classifier's class, or empty."""
        self.policy = policy
        self.consensus = consensus
        self.wanted: NDArray[np.bool_] = np.array(
            [reason.is_asking for reason in reasons], dtype=bool
        )
        self.votes = int(consensus.votes.sum())
        self.fixed_votes = policy.most * len(consensus)
        self._reasons = reasons
        self._expected = expected
        self._codes = consensus.settled_codes(policy.confidence)
        self._rows = {item: row for row, item in enumerate(consensus.item_ids.tolist())}

    @property
    def answers_spared(self) -> int:
        """Answers that fixed overlap would take beyond those given and those asked for now."""
        return self.fixed_votes - self.votes - int(self.wanted.sum())

    @property
    def share_spared(self) -> float | None:
        """``answers_spared`` as a share of the fixed overlap's answers; None without items."""
        return self.answers_spared / self.fixed_votes if self.fixed_votes else None

    def in_words(self) -> Words:
        """The saving for people."""
        return saving_in_words(
            self.votes, int(self.wanted.sum()), self.fixed_votes, self.policy.most
        )

    def items_wanted(self) -> list[int]:
        """Items to ask another annotator about, least sure first."""
        rows = np.flatnonzero(self.wanted)
        order = np.argsort(self.consensus.sureness[rows], kind="stable")
        return [int(item) for item in self.consensus.item_ids[rows[order]]]

    def __getitem__(self, item: int) -> OverlapDecision:
        row = self._rows[item]
        found = self.consensus
        votes, code = int(found.votes[row].sum()), int(self._codes[row])
        label = None if code < 0 else str(found.classes[code])
        is_known = code >= 0 and found.method != UNCHECKED
        sure = float(found.confidence[row]) if is_known else None
        reason: OverlapReason = self._reasons[row]
        words = because(
            reason,
            votes=votes,
            least=self.policy.least,
            most=self.policy.most,
            target=self.policy.confidence,
            label=label,
            confidence=sure,
            expected=str(self._expected[row]),
        )
        return OverlapDecision(item, reason.is_asking, votes, label, sure, reason, words)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def plan_overlap(
    consensus: ConsensusResult,
    policy: OverlapPolicy,
    *,
    priors: ItemPriors | None = None,
    seed: int = 0,
) -> OverlapPlan:
    """Decide for every item whether one more annotator is wanted.

    An item is asked about again while it has fewer than ``least`` answers, belongs to the random
    share that everybody answers, or its label stays below ``confidence``; never beyond ``most``.
    Under a budget the least sure come first. The same ``seed`` draws the same shared items, also
    after others came.

    Args:
        consensus: what the answers so far amount to.
        policy: when an item has answers enough.
        priors: what the classifier expects, to say where it expects another label.
        seed: draws the shared items.
    """
    items = consensus.item_ids
    votes = consensus.votes.sum(axis=1)
    several = (consensus.votes > 0).sum(axis=1) > 1
    expected = np.full(len(items), "", dtype=object)
    if priors is not None and len(priors.item_ids):
        known = priors.has(items)
        rows = priors.over(consensus.classes).rows_of(items, consensus.votes.mean(axis=0))
        expected[known] = consensus.classes[rows[known].argmax(axis=1)]
    said = np.append(consensus.classes, "")[consensus.codes]
    reasons = np.full(len(items), OverlapReason.SURE, dtype=object)
    unsure = (consensus.confidence < policy.confidence) | (consensus.method == UNCHECKED)
    reasons[unsure] = OverlapReason.UNSURE
    reasons[unsure & (expected != "") & (expected != said)] = OverlapReason.MODEL_DISAGREES
    reasons[unsure & several] = OverlapReason.ANNOTATORS_DISAGREE
    reasons[is_shared(items, policy.shared, seed)] = OverlapReason.SHARED
    reasons[votes < policy.least] = OverlapReason.TOO_FEW
    reasons[votes >= policy.most] = OverlapReason.MOST
    if policy.mean_votes is not None:
        _keep_budget(reasons, votes, consensus.sureness, policy.mean_votes)
    return OverlapPlan(policy, consensus, reasons, expected)


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
    reasons: NDArray[np.object_],
    votes: NDArray[np.float64],
    sure: NDArray[np.float64],
    mean_votes: float,
) -> None:
    """Leave of the asking reasons only as many as the budget has answers, ``least`` first."""
    asking = np.array([reason.is_asking for reason in reasons], dtype=bool)
    rows = np.flatnonzero(asking)
    urgency = np.array([reasons[row].urgency for row in rows], dtype=np.int64)
    affordable = max(0, int(np.floor(mean_votes * len(votes) + 1e-9)) - int(votes.sum()))
    ranked = rows[np.lexsort((sure[rows], urgency))]
    reasons[ranked[affordable:]] = OverlapReason.BUDGET
