"""Majority vote in which each annotator's vote weighs as much as they are right."""

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import CodedLabels, LabelFrame, Table
from labeling.consensus.majority_vote import vote_shares
from labeling.consensus.posterior import ConsensusResult, normalised

ITERATIONS = 50
TOLERANCE = 1e-6
SMOOTHING = 4.0


def weighted_majority_vote(frame: LabelFrame) -> ConsensusResult:
    """One accuracy for each annotator, found together with the truth; classes equally frequent.

    With accuracy a a vote weighs log(a / ((1 - a) / (K - 1))), which is the best weight where
    errors are spread evenly (Li and Yu, Error rate bounds and iterative weighted majority
    voting, 2014; the one-coin model). Everyone starts with four labels of the average accuracy:
    few labels weigh as everybody's do. The accuracies have K times fewer numbers to find than
    confusion matrices, which pays where annotators are many or gave few labels.
    """
    coded = frame.coded
    probabilities, accuracy = fit_accuracies(coded)
    return ConsensusResult(
        method="weighted_majority",
        item_ids=coded.items,
        classes=coded.classes,
        probabilities=probabilities,
        votes=coded.votes(),
        annotators=coded.annotators,
        confusion=even_confusion(accuracy, len(coded.classes)),
        accuracy=accuracy,
        class_prior=np.full(len(coded.classes), 1 / max(1, len(coded.classes))),
    )


def fit_accuracies(coded: CodedLabels, *, is_shared: bool = False) -> tuple[Table, Table]:
    """((I, K) probabilities, (W,) accuracies); ``is_shared`` gives everyone the same accuracy.

    With a shared one the most probable class is the majority's, with an honest probability.
    """
    items, annotators, classes = coded.shape
    p = vote_shares(coded)
    if classes < 2:
        return p, np.ones(annotators)
    given = np.bincount(coded.annotator, minlength=annotators)
    cells = coded.item * classes + coded.label
    accuracy: Table = np.full(annotators, 1 / classes)
    for _ in range(ITERATIONS):
        agreeing = np.bincount(coded.annotator, p[coded.item, coded.label], minlength=annotators)
        # One right label and K - 1 wrong ones that nobody gave keep it from 0 and 1.
        average = (agreeing.sum() + 1) / (given.sum() + classes)
        accuracy = (agreeing + SMOOTHING * average) / (given + SMOOTHING)
        if is_shared:
            accuracy = np.full(annotators, max(average, 1 / classes + 1e-3))
        accuracy = accuracy.clip(0.25 / classes, 1 - 1e-4)
        weights = np.log(accuracy) - np.log((1 - accuracy) / (classes - 1))
        scores = np.bincount(cells, weights[coded.annotator], minlength=items * classes)
        found = normalised(scores.reshape(items, classes).astype(np.float64))
        change = np.abs(found - p).max(initial=0)
        p = found
        if change < TOLERANCE:
            break
    return p, accuracy


def even_confusion(accuracy: Table, classes: int) -> NDArray[np.float64]:
    """(W, K, K) matrices of annotators whose errors are spread evenly."""
    if classes < 2:
        return np.ones((len(accuracy), classes, classes))
    wrong = np.broadcast_to(
        ((1 - accuracy) / (classes - 1))[:, None, None], (len(accuracy), classes, classes)
    ).copy()
    wrong[:, np.arange(classes), np.arange(classes)] = accuracy[:, None]
    return wrong
