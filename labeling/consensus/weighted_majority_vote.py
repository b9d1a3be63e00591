"""Majority vote in which each annotator's vote weighs as much as they are right."""

import numpy as np

from labeling.consensus.base import CodedLabels, LabelFrame, Table
from labeling.consensus.dawid_skene import Fitted, result_of
from labeling.consensus.majority_vote import vote_shares
from labeling.consensus.posterior import ConsensusResult, normalise_scores

ITERATIONS = 50
"""At most. Chosen: a bound on time; ``TOLERANCE`` ends it sooner as a rule."""
TOLERANCE = 1e-6
"""Change of a probability below which the accuracies stand still to four decimals."""
SMOOTHING = 4.0
"""Labels of the average accuracy that everyone starts with: a handful of labels says little.
Chosen."""
USUAL_RIGHT, USUAL_WRONG = 2.0, 1.0
"""Labels that nobody gave, which keep the average accuracy from 0 and 1: two right of three, as
often as labels are right on the mean of the seven public sets of ``benchmarks.consensus`` (.65)."""


def weighted_majority_vote(frame: LabelFrame) -> ConsensusResult:
    """One accuracy for each annotator, found together with the truth; classes equally frequent.

    With accuracy a a vote weighs log(a / ((1 - a) / (K - 1))), which is the best weight where
    errors are spread evenly (Li and Yu, Error rate bounds and iterative weighted majority
    voting, 2014; the one-coin model). Everyone starts with four labels of the average accuracy:
    few labels weigh as everybody's do. The accuracies have K times fewer numbers to find than
    confusion matrices, which pays where annotators are many or gave few labels.
    """
    return result_of(frame.codes, fit_accuracies(frame.codes), "weighted_majority")


def fit_accuracies(
    coded: CodedLabels,
    *,
    is_shared: bool = False,
    has_frequencies: bool = False,
    iterations: int = ITERATIONS,
    log_priors: Table | None = None,
) -> Fitted:
    """The one-coin model, found from the items with several votes where there are any.

    An item's only vote agrees with itself: without ``log_priors`` it says nothing of who gave it.

    Args:
        coded: the labels.
        is_shared: everyone has the same accuracy; then the most probable class is the
            majority's, with an honest probability.
        has_frequencies: classes are as frequent as they are found to be, not equally frequent.
        iterations: at most.
        log_priors: (I, K) log-probabilities of each item's classes before its votes, which
            take the place of the classes' frequencies.
    """
    items, annotators, classes = coded.shape
    p = vote_shares(coded)
    frequencies: Table = np.full(classes, 1 / max(1, classes))
    if classes < 2:
        return Fitted(p, np.ones((annotators, classes, classes)), frequencies)
    compared = coded.rows(coded.has_several[coded.item])
    if log_priors is not None or not len(compared.item):
        compared = coded
    given = np.bincount(compared.annotator, minlength=annotators)
    cells = coded.item * classes + coded.label
    accuracy: Table = np.full(annotators, 1 / classes)
    for _ in range(iterations):
        agreeing = np.bincount(
            compared.annotator, p[compared.item, compared.label], minlength=annotators
        )
        average = (agreeing.sum() + USUAL_RIGHT) / (given.sum() + USUAL_RIGHT + USUAL_WRONG)
        accuracy = (agreeing + SMOOTHING * average) / (given + SMOOTHING)
        if is_shared:
            accuracy = np.full(annotators, max(average, 1 / classes + 1e-3))
        accuracy = accuracy.clip(0.25 / classes, 1 - 1e-4)
        weights = np.log(accuracy) - np.log((1 - accuracy) / (classes - 1))
        scores = np.bincount(cells, weights[coded.annotator], minlength=items * classes)
        if has_frequencies:
            frequencies = (p.sum(axis=0) + 1 / classes) / (items + 1)
        before = np.log(frequencies) if log_priors is None else log_priors
        found = normalise_scores(scores.reshape(items, classes) + before)
        change = np.abs(found - p).max(initial=0)
        p = found
        if change < TOLERANCE:
            break
    return Fitted(p, even_confusion(accuracy, classes), frequencies)


def even_confusion(accuracy: Table, classes: int) -> Table:
    """(W, K, K) matrices of annotators whose errors are spread evenly."""
    wrong = ((1 - accuracy) / (classes - 1))[:, None, None]
    return np.where(np.eye(classes, dtype=bool), accuracy[:, None, None], wrong)
