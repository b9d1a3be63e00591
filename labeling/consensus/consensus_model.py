"""What a full fit found of annotators and classes: enough for the consensus of any items."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import CodedLabels, LabelFrame, Table
from labeling.consensus.dawid_skene import TINY, Fitted
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.majority_vote import vote_shares
from labeling.consensus.posterior import ConsensusResult, normalise_scores

A_LITTLE = 1e-6
"""Above ``posterior.TIE``, so that a class that everybody gave is no tie; of no other effect."""


@dataclass(frozen=True, eq=False)
class ConsensusModel:
    """Tables that stay as they are while items come and change; a new fit renews them.

    Attributes:
        method: ``unchecked``, ``few_labels``, ``majority``, ``weighted_majority``,
            ``dawid_skene`` or ``classifier_prior``.
        classes: (K,) names, in the order of every table.
        annotators: (W,) ids, ascending; empty where nobody could be compared: then an item's
            probabilities are the shares of its votes.
        confusion: (W, K, K) [w, k, l] is the probability that annotator w says l where k is
            true; rows sum to 1.
        usual_confusion: (K, K) the same of an annotator whom the fit did not know.
        class_prior: (K,) how frequent the classes are.
        prior_weight: power of what a classifier expects of an item; 0 where it takes no part.
        dependence: how much of one another's errors an item's annotators make, 0 to 1; see
            ``held_out.choose_dependence``.
        choice: what was measured to choose the method.
    """

    method: str
    classes: NDArray[np.str_]
    annotators: NDArray[np.int64]
    confusion: Table
    usual_confusion: Table
    class_prior: Table
    prior_weight: float = 0.0
    dependence: float = 0.0
    choice: Mapping[str, float] = field(default_factory=dict)

    def consensus(self, frame: LabelFrame, priors: ItemPriors | None = None) -> ConsensusResult:
        """The consensus of every item of ``frame``, each from its own labels alone.

        P(item is k) is proportional to its prior times the product over its n votes of
        P(annotator says l | k), all to the power of 1 / (1 + (n - 1) * ``dependence``): errors
        made together make a probability less sure and no other class more probable. The prior is
        f[k] = ``class_prior``, or f[k] * (q[k] / f[k]) ** ``prior_weight`` with q the classifier's
        probabilities. Nothing but a classifier speaks against an answer that all of an item's
        annotators gave: where their tables or the classes' frequencies would, that class counts as
        much as the largest, and a trace more.

        Args:
            frame: all labels of the items wanted; other items change nothing.
            priors: the classifier's probabilities, without effect where ``prior_weight`` is 0.

        Raises:
            LabelOutsideModel: a label that is not among ``classes``: fit again.
        """
        coded = self._codes(frame)
        votes = coded.votes()
        if len(self.classes) < 2 or not len(self.annotators):
            return ConsensusResult(
                self.method,
                coded.items,
                self.classes,
                vote_shares(coded),
                votes,
                choice=self.choice,
            )
        scores = self._vote_scores(coded)
        is_only = (votes > 0).sum(axis=1) == 1
        _raise_only(scores, votes, is_only)
        scores += np.log(self.class_prior.clip(TINY))
        q = None
        if priors is not None and self.prior_weight:
            q = priors.over(self.classes).rows_of(coded.items, self.class_prior)
            scores += self.prior_weight * (np.log(q) - np.log(self.class_prior.clip(TINY)))
            is_only &= ~priors.has(coded.items)
        _raise_only(scores, votes, is_only)
        others = votes.sum(axis=1, keepdims=True) - 1
        probabilities = normalise_scores(scores / (1 + others * self.dependence))
        return ConsensusResult(
            method=self.method,
            item_ids=coded.items,
            classes=self.classes,
            probabilities=probabilities,
            votes=votes,
            annotators=self.annotators,
            confusion=self.confusion,
            accuracy=np.einsum("wkk,k->w", self.confusion, self.class_prior),
            class_prior=self.class_prior,
            ordering=None if q is None else (normalise_scores(scores) + q) / 2,
            choice=self.choice,
        )

    def to_json(self) -> dict[str, Any]:
        """The tables as numbers, names and lists; ``from_json`` gives the same model."""
        return {
            "method": self.method,
            "classes": self.classes.tolist(),
            "annotators": self.annotators.tolist(),
            "confusion": self.confusion.tolist(),
            "usual_confusion": self.usual_confusion.tolist(),
            "class_prior": self.class_prior.tolist(),
            "prior_weight": self.prior_weight,
            "dependence": self.dependence,
            "choice": dict(self.choice),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ConsensusModel":
        """The model of ``to_json``.

        Raises:
            KeyError: something is missing.
            ValueError: the tables do not fit each other.
        """
        classes, annotators = len(kept["classes"]), len(kept["annotators"])
        return cls(
            method=kept["method"],
            classes=np.array(kept["classes"], dtype=np.str_),
            annotators=np.array(kept["annotators"], dtype=np.int64),
            confusion=_table(kept["confusion"], (annotators, classes, classes)),
            usual_confusion=_table(kept["usual_confusion"], (classes, classes)),
            class_prior=_table(kept["class_prior"], (classes,)),
            prior_weight=float(kept["prior_weight"]),
            dependence=float(kept["dependence"]),
            choice=kept["choice"],
        )

    def _codes(self, frame: LabelFrame) -> CodedLabels:
        unknown = set(frame.codes.classes.tolist()) - set(self.classes.tolist())
        if unknown:
            raise LabelOutsideModel(
                f"labels {sorted(unknown)} are not among the classes {self.classes.tolist()}; "
                "fit again"
            )
        return frame.codes.over(self.classes.tolist())

    def _vote_scores(self, coded: CodedLabels) -> Table:
        """(I, K) sum over the item's votes of log P(annotator says l | k)."""
        tables = np.concatenate([self.confusion, self.usual_confusion[None]])
        logs = np.log(tables.clip(min=TINY)).transpose(0, 2, 1)
        known = np.searchsorted(self.annotators, coded.annotators).clip(
            max=len(self.annotators) - 1
        )
        known = np.where(self.annotators[known] == coded.annotators, known, len(self.annotators))
        says = logs[known[coded.annotator], coded.label]
        items = len(coded.items)
        columns = [np.bincount(coded.item, each, minlength=items) for each in says.T]
        return np.stack(columns, axis=1) if items else np.zeros((0, len(self.classes)))


def model_of(
    coded: CodedLabels,
    fitted: Fitted,
    method: str,
    *,
    prior_weight: float = 0.0,
    dependence: float = 0.0,
    choice: Mapping[str, float] | None = None,
) -> ConsensusModel:
    """The model of what expectation maximisation found.

    An annotator who is not in it counts as the average of those who are, by their labels.
    """
    given = np.bincount(coded.annotator, minlength=len(coded.annotators)).astype(np.float64)
    return ConsensusModel(
        method=method,
        classes=coded.classes,
        annotators=coded.annotators,
        confusion=fitted.confusion,
        usual_confusion=np.einsum("wkl,w->kl", fitted.confusion, given / given.sum()),
        class_prior=fitted.class_prior,
        prior_weight=prior_weight,
        dependence=dependence,
        choice=choice or {},
    )


class LabelOutsideModel(ValueError):
    """A label that the fit did not have: the model has no column for it."""


def _raise_only(scores: Table, votes: Table, is_only: NDArray[np.bool_]) -> None:
    """Raise in ``scores`` (I, K) the only class that such items were given to the largest.

    ``is_only`` (I,) marks items of which all ``votes`` (I, K) are for one class.
    """
    rows = np.flatnonzero(is_only)
    given = votes[rows].argmax(axis=1)
    largest = scores[rows].max(axis=1, initial=-np.inf)
    scores[rows, given] = np.where(scores[rows, given] < largest, largest + A_LITTLE, largest)


def _table(rows: Any, shape: tuple[int, ...]) -> Table:
    return np.array(rows, dtype=np.float64).reshape(shape)
