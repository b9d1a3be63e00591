"""How sure an item's label is, given who answered what and what a classifier thinks.

Naive Bayes: answers are independent given the true class, each annotator errs by a confusion
matrix of his own, shrunk to that of all annotators where he answered little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import LabelFrame

Table = NDArray[np.float64]
ROUNDS = 10
BORROWED = 10.0  # answers that all annotators lend to each class of one
_FLOOR = 1e-3  # no class is ruled out by one answer or by the classifier


@dataclass(frozen=True)
class ClassProbabilities:
    """What a classifier says of items it was not trained on.

    Attributes:
        items: (m,) item ids, each once.
        classes: (k,) names of the columns.
        table: (m, k) probabilities; rows are scaled to sum to one, one of zeros says nothing.
    """

    items: NDArray[np.int64]
    classes: Sequence[str]
    table: Table

    def __post_init__(self) -> None:
        if self.table.shape != (len(self.items), len(self.classes)):
            raise ValueError(
                f"table is {self.table.shape}, expected (items, classes) = "
                f"{(len(self.items), len(self.classes))}"
            )
        if not np.isfinite(self.table).all() or (self.table < 0).any():
            raise ValueError("table holds values that are not probabilities")
        if len(np.unique(self.items)) != len(self.items):
            raise ValueError("items names an item twice: give each item one row")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes names one twice: {list(self.classes)}")


@dataclass(frozen=True)
class AnswerModel:
    """Items with the probability of each class.

    Attributes:
        items: (n,) sorted ids: every item with an answer or a probability.
        classes: (k,) sorted names.
        votes: (n, k) how often each class was answered.
        prior: (n, k) before any answer: the classifier's, else the share of each class.
        has_prior: (n,) whether the classifier spoke.
        posterior: (n, k) after the answers.
        annotators: (a,) sorted ids.
        confusions: (a, k, k) probability of answering the last axis where the second is true.
    """

    items: NDArray[np.int64]
    classes: list[str]
    votes: NDArray[np.int64]
    prior: Table
    has_prior: NDArray[np.bool_]
    posterior: Table
    annotators: NDArray[np.int64]
    confusions: Table

    def accuracies(self) -> dict[int, float]:
        """Annotator to the estimated share of right answers, classes as common as they are."""
        shares = self.posterior.mean(axis=0)
        right = np.einsum("acc,c->a", self.confusions, shares)
        return dict(zip(self.annotators.tolist(), right.tolist(), strict=True))


def answer_model(
    frame: LabelFrame,
    probabilities: ClassProbabilities | None = None,
    *,
    prior_weight: float = 1.0,
    rounds: int = ROUNDS,
) -> AnswerModel:
    """Estimate classes and annotators from each other in ``rounds`` rounds.

    In the first half of the rounds annotators are judged by items that others answered too or
    that the classifier knows, where there are any; then by all.

    Args:
        frame: all answers so far; may be empty.
        probabilities: the classifier's view, out of fold for items it was trained on.
        prior_weight: what the classifier's log probability counts against one answer.
        rounds: of re-estimation; starts from the votes and the classifier's view together.
    """
    from_classifier = np.empty(0, dtype=np.int64) if probabilities is None else probabilities.items
    names = [] if probabilities is None else list(probabilities.classes)
    items = np.union1d(frame.items, from_classifier).astype(np.int64)
    classes = sorted({str(name) for name in np.unique(frame.labels).tolist()} | set(names))
    people, who = np.unique(frame.annotators, return_inverse=True)
    rows = np.searchsorted(items, frame.items)
    found, codes = np.unique(frame.labels, return_inverse=True)
    columns = np.array([classes.index(name) for name in found.tolist()], dtype=np.intp)
    codes = columns[codes] if len(found) else np.zeros(0, dtype=np.intp)
    n, k = len(items), len(classes)
    votes = np.bincount(rows * k + codes, minlength=n * k).reshape(n, k).astype(np.int64)
    has_prior = np.zeros(n, dtype=bool)
    prior = np.full((n, k), 1 / max(k, 1))
    if probabilities is not None and len(probabilities.items):
        totals = probabilities.table.sum(axis=1, keepdims=True)
        speaks = totals[:, 0] > 0
        places = np.searchsorted(items, probabilities.items[speaks])
        has_prior[places] = True
        given = np.zeros((len(places), k))
        given[:, [classes.index(name) for name in names]] = (
            probabilities.table[speaks] / totals[speaks]
        )
        prior[places] = given
    answers = _Answers(rows, who, codes, n, len(people), k)
    posterior = (votes + prior) / (votes + prior).sum(axis=1, keepdims=True)
    # An item's only answer agrees with itself: it says little of who gave it until others do.
    judged = ((votes.sum(axis=1) > 1) | has_prior)[:, None]
    judged = judged | ~judged.any()
    confusions = answers.confusions(posterior * judged)
    for done in range(rounds if len(rows) else 0):
        answered = votes.sum(axis=1) > 0
        shares = (posterior[answered].sum(axis=0) + 1) / (answered.sum() + k)
        prior[~has_prior] = shares
        start = np.where(
            has_prior[:, None], prior_weight * np.log(prior.clip(_FLOOR)), np.log(shares)
        )
        posterior = _normalised(start + answers.evidence(np.log(confusions.clip(_FLOOR))))
        confusions = answers.confusions(
            posterior * judged if 2 * (done + 1) < rounds else posterior
        )
    return AnswerModel(items, classes, votes, prior, has_prior, posterior, people, confusions)


class _Answers:
    def __init__(
        self,
        rows: NDArray[np.intp],
        who: NDArray[np.intp],
        codes: NDArray[np.intp],
        items: int,
        people: int,
        classes: int,
    ) -> None:
        self.rows, self.cells = rows, who * classes + codes
        self.items, self.people, self.classes = items, people, classes

    def confusions(self, posterior: Table) -> Table:
        """(people, true class, answer), smoothed towards everybody's."""
        k = self.classes
        given = np.empty((self.people, k, k))
        for true in range(k):
            weights = posterior[self.rows, true]
            counted = np.bincount(self.cells, weights, minlength=self.people * k)
            given[:, true] = counted.reshape(self.people, k)
        everybody = given.sum(axis=0) + 1 / max(k, 1) + np.eye(k)
        everybody /= everybody.sum(axis=1, keepdims=True)
        given += BORROWED * everybody
        return np.asarray(given / given.sum(axis=2, keepdims=True))

    def evidence(self, logs: Table) -> Table:
        """(items, classes) the sum over answers of log P(answer | class)."""
        found = np.empty((self.items, self.classes))
        for true in range(self.classes):
            weights = logs[:, true].reshape(-1)[self.cells]
            found[:, true] = np.bincount(self.rows, weights, minlength=self.items)
        return found


def _normalised(logs: Table) -> Table:
    scaled = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))
