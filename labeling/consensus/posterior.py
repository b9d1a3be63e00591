"""What every method gives back: a probability of each class for each item."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TIE = 1e-9
"""Difference of probabilities that sums in another order make: equal to it is equal."""

UNCHECKED = "unchecked"
"""Method where no item has several labels: nothing tells how often people are right."""
FEW_LABELS = "few_labels"
"""Method where too few items have several labels to tell people apart: the votes count."""


@dataclass(frozen=True)
class Consensus:
    """The consensus of one item.

    Attributes:
        label: the most probable of the classes that people gave; None where several of them are
            equally probable.
        share: the votes for it (or for the most frequent of tied labels) over all votes.
        votes: how many labels the item got.
        confidence: its probability, tied or not.
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

    The consensus label is one that people gave: a classifier may make it improbable, never
    replace it. Where the labels are too few to tell people apart it is one that most gave.
    ``probabilities`` say what the item is, all things considered.

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
        ordering: (I, K) where another number than the probability orders items better: with a
            classifier the mean of what it says and of the probability as if no errors were made
            together. Errors are where the two differ (CROWDLAB, Goh et al., 2022, averages so).
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
    ordering: NDArray[np.float64] | None = None
    choice: Mapping[str, float] = field(default_factory=dict)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(I,) probability of the consensus label; of the tied ones where it is a tie."""
        return self._at_best(self.probabilities)

    @property
    def sureness(self) -> NDArray[np.float64]:
        """(I,) from doubtful to sure: puts items in order and is no probability."""
        return self._at_best(self.probabilities if self.ordering is None else self.ordering)

    @property
    def is_tied(self) -> NDArray[np.bool_]:
        """(I,) whether several of the classes given are equally probable, to 1e-9."""
        if not self.probabilities.size:
            return np.zeros(len(self.item_ids), dtype=np.bool_)
        near = self._eligible >= self.confidence[:, None] - TIE
        return np.asarray(near.sum(axis=1) > 1)

    @property
    def codes(self) -> NDArray[np.intp]:
        """(I,) row in ``classes`` of the consensus label; -1 for a tie."""
        if not self.probabilities.size:
            return np.full(len(self.item_ids), -1)
        return np.where(self.is_tied, -1, self._best)

    def settled_codes(self, sure: float) -> NDArray[np.intp]:
        """(I,) as ``codes``, but a tie of votes is broken only by a probability of ``sure``.

        -1 too where as many people gave one class as another, more than gave any other, and
        the most probable class given is less probable than ``sure`` or people are not told apart.
        """
        if not self.probabilities.size:
            return self.codes
        most = self.votes.max(axis=1, keepdims=True)
        is_split = (self.votes == most).sum(axis=1) > 1
        return np.where(is_split & (self.is_by_vote | (self.confidence < sure)), -1, self.codes)

    def __getitem__(self, item: int) -> Consensus:
        return self._by_item[item]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_item)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def is_by_vote(self) -> bool:
        """True where too few items have several labels to tell how often annotators are right."""
        return self.method in {UNCHECKED, FEW_LABELS}

    @cached_property
    def _eligible(self) -> NDArray[np.float64]:
        """(I, K) the probabilities of the classes that may be the consensus; else -1."""
        most = self.votes.max(axis=1, keepdims=True) if self.is_by_vote else 1
        return np.where(self.votes >= most, self.probabilities, -1.0)

    @cached_property
    def _best(self) -> NDArray[np.intp]:
        """(I,) the most probable class given, the first of several."""
        return np.asarray(self._eligible.argmax(axis=1))

    def _at_best(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        if not table.size:
            return np.zeros(len(self.item_ids))
        return np.asarray(table[np.arange(len(table)), self._best])

    @cached_property
    def _by_item(self) -> dict[int, Consensus]:
        if not self.probabilities.size:
            return {}
        given = self.votes[np.arange(len(self._best)), self._best]
        totals = self.votes.sum(axis=1)
        shares = np.where(self.is_tied, self.votes.max(axis=1), given) / totals.clip(min=1)
        names = self.classes.tolist()
        columns = (self.item_ids, self.codes, shares, totals, self.confidence)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return {
            item: Consensus(None if code < 0 else names[code], share, round(total), confidence)
            for item, code, share, total, confidence in rows
        }


def normalise_scores(log_scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, K) probabilities proportional to exp of the scores, without overflow."""
    if not log_scores.size:
        return log_scores
    shifted = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
