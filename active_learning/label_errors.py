"""Suspected label errors: which given labels the classifier, not having seen them, contradicts.

Three steps. Confident learning (Northcutt, Jiang and Chuang 2021) marks the obvious errors. The
heads are trained again without them, so that wrong labels no longer teach the judge. Then EM
estimates how often each true label is given as each other one (Dawid and Skene 1979, with the
classifier as the prior of the truth), and every label gets the probability of being wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.calibration import temperature_for
from active_learning.classifiers.logistic_heads import softmax
from active_learning.exceptions import NoLabels, ShapeMismatch, UnknownLabel
from active_learning.types import Probabilities, Reason, Scores

WRONG = 0.5
"""Labels that are more probably wrong than right are suspected."""
STEPS = 50
PRIOR_RECORDS = 10.0
"""Records a pair of labels that pull its error rate to the mean rate."""
FLOOR = 1e-6


@dataclass(frozen=True)
class LabelErrors:
    """What is suspected of n given labels; positions are those of the input."""

    scores: Scores
    """(n,) larger is more suspect: ranks of the two views, from 0 to 1."""
    error_probabilities: Probabilities
    """(n,) estimated probability that the given label is wrong."""
    is_suspected: NDArray[np.bool_]
    suggested: list[str]
    """The most probable other label; the given one where that is not suspected."""
    reasons: list[Reason]
    noise_rate: float
    """Estimated share of wrong labels: the mean error probability."""

    def ranked(self) -> NDArray[np.intp]:
        """Positions of the suspected labels, the most suspect first."""
        order = np.argsort(-self.scores, kind="stable")
        ranked: NDArray[np.intp] = order[self.is_suspected[order]]
        return ranked


def label_errors(
    probabilities: Probabilities, given: Sequence[str] | NDArray[np.str_], classes: Sequence[str]
) -> LabelErrors:
    """Suspected errors from probabilities that did not see the labels they judge.

    Args:
        probabilities: (n, classes), out of fold or out of bag.
        given: n labels.
        classes: in the order of the columns.

    Raises:
        NoLabels: there is no label.
        UnknownLabel: a label is not among the classes.
        ShapeMismatch: rows and labels differ in number, or a probability is not one.
    """
    codes = checked_codes(probabilities, given, classes)
    obvious = confident_errors(probabilities, codes)
    return judged(trusting(probabilities, codes, obvious), codes, classes)


def judged(
    probabilities: Probabilities, codes: NDArray[np.intp], classes: Sequence[str]
) -> LabelErrors:
    """Suspected errors where the probabilities are of the true label, see :func:`trusting`."""
    posterior = true_label_posterior(probabilities, codes)
    rows = np.arange(len(codes))
    wrong = np.clip(1.0 - posterior[rows, codes], 0.0, 1.0)
    doubt = 1.0 - probabilities[rows, codes]
    scores = (_ranks(wrong) + _ranks(doubt)) / 2.0
    suspected = wrong > WRONG
    others = posterior.copy()
    others[rows, codes] = -1.0
    suggested = np.where(suspected, others.argmax(axis=1), codes)
    return LabelErrors(
        scores,
        wrong,
        suspected,
        [classes[code] for code in suggested.tolist()],
        [
            _reason(classes[given], classes[other], bool(is_wrong), chance)
            for given, other, is_wrong, chance in zip(
                codes.tolist(),
                suggested.tolist(),
                suspected.tolist(),
                wrong.tolist(),
                strict=True,
            )
        ],
        float(wrong.mean()),
    )


def confident_errors(probabilities: Probabilities, codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(n,) labels that confident learning prunes, by class and by noise rate both.

    A record counts as another class when it is at least as probable as that class's members are
    on average. For each pair of classes the estimated number with the largest margin is marked.
    """
    n, classes = probabilities.shape
    rows = np.arange(n)
    own = probabilities[rows, codes]
    counts = np.bincount(codes, minlength=classes)
    means = np.bincount(codes, own, minlength=classes) / np.maximum(counts, 1)
    confident = (probabilities >= np.where(counts > 0, means, np.inf)) & (counts > 0)
    apparent = np.where(confident, probabilities, -1.0).argmax(axis=1)
    found = confident.any(axis=1)
    joint = np.zeros((classes, classes))
    np.add.at(joint, (codes[found], apparent[found]), 1.0)
    empty = joint.sum(axis=1) == 0
    joint[empty, empty.nonzero()[0]] = 1.0
    joint *= (counts / joint.sum(axis=1))[:, None]
    by_pair, by_class = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for label in np.flatnonzero(counts):
        members = np.flatnonzero(codes == label)
        for other in np.flatnonzero(np.arange(classes) != label):
            few = round(float(joint[label, other]))
            margins = probabilities[members, other] - own[members]
            by_pair[members[np.argsort(-margins, kind="stable")[:few]]] = True
        few = round(float(counts[label] - joint[label, label]))
        by_class[members[np.argsort(own[members], kind="stable")[:few]]] = True
    pruned: NDArray[np.bool_] = by_pair & by_class & (probabilities.argmax(axis=1) != codes)
    return pruned


def trusting(
    probabilities: Probabilities, codes: NDArray[np.intp], doubted: NDArray[np.bool_]
) -> Probabilities:
    """The probabilities as sure as they are right on labels that are not doubted.

    Wrong labels make a classifier look unsure; the temperature is that of the others.
    """
    logits = np.log(np.maximum(probabilities, FLOOR))
    temperature = temperature_for(logits, np.where(doubted, -1, codes))
    return softmax(logits / temperature)


def true_label_posterior(
    probabilities: Probabilities, codes: NDArray[np.intp], *, steps: int = STEPS
) -> Probabilities:
    """(n, classes) probability of each true label, knowing the given one too.

    EM over the table "true label k is given as j"; rows of the table are pulled towards the mean
    error rate, so a rare class cannot invent its own.
    """
    n, classes = probabilities.shape
    if classes == 1:
        return np.ones((n, 1))
    table = 0.9 * np.eye(classes) + 0.1 / classes
    posterior = probabilities
    onehot = np.zeros((n, classes))
    onehot[np.arange(n), codes] = 1.0
    for step in range(steps + 1):
        posterior = probabilities * table[:, codes].T
        posterior = posterior / np.maximum(posterior.sum(axis=1, keepdims=True), 1e-300)
        if step == steps:
            break
        joint = posterior.T @ onehot
        error = 1.0 - float(np.trace(joint)) / n
        usual = np.full((classes, classes), error / (classes - 1))
        np.fill_diagonal(usual, 1.0 - error)
        table = joint + PRIOR_RECORDS * classes * usual
        table /= table.sum(axis=1, keepdims=True)
    return posterior


def pooled(views: Sequence[Probabilities], shares: Sequence[float]) -> Probabilities:
    """The logarithmic opinion pool: the normalised weighted geometric mean."""
    logs = np.stack([np.log(np.maximum(view, FLOOR)) for view in views])
    return softmax(np.tensordot(np.asarray(shares), logs, axes=1))


def checked_codes(
    probabilities: Probabilities, given: Sequence[str] | NDArray[np.str_], classes: Sequence[str]
) -> NDArray[np.intp]:
    """(n,) the labels as numbers.

    Raises:
        NoLabels: there is no label.
        UnknownLabel: a label is not among the classes.
        ShapeMismatch: rows and labels differ in number, or a probability is not one.
    """
    places = {name: place for place, name in enumerate(classes)}
    labels = [str(label) for label in given]
    if not labels:
        raise NoLabels("There is no label to suspect.")
    unknown = sorted(set(labels) - set(places))
    if unknown:
        raise UnknownLabel(f"Labels {unknown} are not among {list(classes)}.")
    if probabilities.shape != (len(labels), len(classes)):
        raise ShapeMismatch(
            f"Probabilities have shape {probabilities.shape}, needed is "
            f"{(len(labels), len(classes))}: a row a label, a column a class."
        )
    if not np.isfinite(probabilities).all() or probabilities.min() < 0:
        raise ShapeMismatch("Probabilities must be finite and not below zero.")
    return np.array([places[label] for label in labels], dtype=np.intp)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) mean ranks from 0 to 1; equal values share theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middles = ends - (counts + 1) / 2.0
    ranks: NDArray[np.float64] = middles[inverse] / max(len(values) - 1, 1)
    return ranks


def _reason(given: str, other: str, is_wrong: bool, wrong: float) -> Reason:
    """One probability only: those of classifier and estimate beside each other confuse."""
    sure = f"{100 * wrong:.0f} %"
    if not is_wrong:
        return Reason(f"'{given}' stands: {sure} likely wrong", f"“{given}”可信；出错概率 {sure}")
    return Reason(
        f"labelled '{given}', {sure} likely wrong; '{other}' is the most probable other label",
        f"标注为“{given}”，出错概率 {sure}；其他标签中最可能是“{other}”",
    )
