"""What every method gives back: a probability of each class for each item."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TIE = 1e-9


@dataclass(frozen=True)
class Consensus:
    """The consensus of one item.

    Attributes:
        label: the most probable class; None where several are equally probable.
        share: the votes for it (or for the most frequent of tied labels) over all votes.
        votes: how many labels the item got.
        confidence: how sure it is, in [0, 1]: the probability of the most probable class, tied
            or not, unless the method states another.
    """

    label: str | None
    share: float
    votes: int
    confidence: float

    @property
    def is_tied(self) -> bool:
        """Whether several classes are equally probable."""
        return self.label is None


@dataclass(frozen=True, eq=False)
class ConsensusResult(Mapping[int, Consensus]):
    """Item id to its consensus; the same as arrays, for many items.

    Attributes:
        method: the name of the method that made it.
        item_ids: (I,) ascending.
        classes: (K,) the classes.
        probabilities: (I, K) rows sum to 1.
        votes: (I, K) how often each class was given.
        annotators: (W,) ids, where the method weighs annotators; else empty.
        confusion: (W, K, K) where the method has it: [w, k, l] is the probability that
            annotator w says l where k is true; rows sum to 1.
        accuracy: (W,) estimated probability of a right answer, where the method has it.
        class_prior: (K,) how frequent the classes are by the method's own estimate.
        stated_confidence: (I,) where confidence is not the probability; it orders better.
        choice: what was measured to choose the method, for ``automatic``.
    """

    method: str
    item_ids: NDArray[np.int64]
    classes: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    votes: NDArray[np.float64]
    annotators: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    confusion: NDArray[np.float64] | None = None
    accuracy: NDArray[np.float64] | None = None
    class_prior: NDArray[np.float64] | None = None
    stated_confidence: NDArray[np.float64] | None = None
    choice: Mapping[str, float] = field(default_factory=dict)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(I,) how sure the consensus is; the probability of the most probable class."""
        return self._top if self.stated_confidence is None else self.stated_confidence

    @property
    def is_tied(self) -> NDArray[np.bool_]:
        """(I,) whether several classes are equally probable, to 1e-9."""
        if not self.probabilities.size:
            return np.zeros(len(self.item_ids), dtype=np.bool_)
        near = self.probabilities >= self._top[:, None] - TIE
        return np.asarray(near.sum(axis=1) > 1)

    @property
    def codes(self) -> NDArray[np.intp]:
        """(I,) row in ``classes`` of the consensus label; -1 for a tie."""
        if not self.probabilities.size:
            return np.full(len(self.item_ids), -1)
        return np.where(self.is_tied, -1, self.probabilities.argmax(axis=1))

    def __getitem__(self, item: int) -> Consensus:
        return self._by_item[item]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_item)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def _top(self) -> NDArray[np.float64]:
        if not self.probabilities.size:
            return np.zeros(len(self.item_ids))
        return np.asarray(self.probabilities.max(axis=1))

    @cached_property
    def _by_item(self) -> dict[int, Consensus]:
        if not self.probabilities.size:
            return {}
        best = self.probabilities.argmax(axis=1)
        given = self.votes[np.arange(len(best)), best]
        totals = self.votes.sum(axis=1)
        shares = np.where(self.is_tied, self.votes.max(axis=1), given) / totals.clip(min=1)
        names = self.classes.tolist()
        columns = (self.item_ids, self.codes, shares, totals, self.confidence)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return {
            item: Consensus(None if code < 0 else names[code], share, round(total), confidence)
            for item, code, share, total, confidence in rows
        }


def normalised(log_scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, K) probabilities proportional to exp of the scores, without overflow."""
    if not log_scores.size:
        return log_scores
    shifted = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
