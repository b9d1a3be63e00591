"""Dawid-Skene: each annotator has a confusion matrix, found together with the truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from labeling.consensus.base import CodedLabels, LabelFrame, Table
from labeling.consensus.majority_vote import vote_shares
from labeling.consensus.posterior import ConsensusResult

TINY = 1e-10
"""Least probability, as in crowd-kit: no zero is ever taken a logarithm of."""
ITERATIONS = 100
TOLERANCE = 1e-5
"""Stop of crowd-kit (``n_iter`` and ``tol``), so that the same labels give the same answers."""
LEAST_LOG = -500.0
"""Above it no exponential is lost, so rows need not be shifted to their largest."""


@dataclass(frozen=True)
class Fitted:
    """Where expectation maximisation ended.

    ``probabilities`` (I, K); ``confusion`` (W, K, K) with [w, k, l] = P(w says l | k is true);
    ``class_prior`` (K,).
    """

    probabilities: Table
    confusion: Table
    class_prior: Table


def dawid_skene(
    frame: LabelFrame,
    *,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
    smoothing: float = 0.0,
) -> ConsensusResult:
    """Maximum likelihood of every annotator's confusion matrix and of the classes' frequencies.

    Expectation maximisation from the shares of the votes (Dawid and Skene, Journal of the Royal
    Statistical Society C 28(1), 1979). Probabilities never reach 0 in a confusion matrix.

    Args:
        frame: the labels.
        iterations: at most.
        tolerance: stops when the evidence bound a label gains less.
        smoothing: labels of the average annotator that everyone starts with; 0 is the
            published method. With few labels an annotator some smoothing is better.
    """
    coded = frame.codes
    fitted = fit(coded, iterations=iterations, tolerance=tolerance, smoothing=smoothing)
    return result_of(coded, fitted, "dawid_skene")


def result_of(coded: CodedLabels, fitted: Fitted, method: str) -> ConsensusResult:
    """The fitted model as a consensus."""
    right = np.einsum("wkk,k->w", fitted.confusion, fitted.class_prior)
    return ConsensusResult(
        method=method,
        item_ids=coded.items,
        classes=coded.classes,
        probabilities=fitted.probabilities,
        votes=coded.votes(),
        annotators=coded.annotators,
        confusion=fitted.confusion,
        accuracy=right,
        class_prior=fitted.class_prior,
    )


def fit(
    coded: CodedLabels,
    *,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
    smoothing: float = 0.0,
    log_priors: Table | None = None,
    start: Table | None = None,
) -> Fitted:
    """Expectation maximisation.

    Args:
        coded: the labels.
        iterations: at most.
        tolerance: stops when the bound gains less for a label.
        smoothing: labels of the average annotator that everyone starts with.
        log_priors: (I, K) log-probabilities of each item's classes before its votes, which
            take the place of the classes' frequencies.
        start: (I, K) probabilities to start from, the shares of the votes by default; rows of
            0 for items that say nothing at first.
    """
    _, annotators, classes = coded.shape
    said = votes_matrix(coded)
    heard = said.T  # stays compressed by item: six times faster to multiply than by annotator
    is_given = _used_labels(said, annotators)
    p = vote_shares(coded) if start is None else start
    prior, errors, _ = _maximise(heard, is_given, p, smoothing)
    bound, ones = -np.inf, np.ones(classes)
    for _ in range(iterations):
        before = np.log(prior) if log_priors is None else log_priors
        scores = said @ _log(errors) + before
        if scores.min(initial=0.0) < LEAST_LOG:
            scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        mass = p @ ones
        p /= mass[:, None]
        # - sum p log p, without a logarithm for each cell.
        entropy = np.log(mass).sum() - np.vdot(p, scores)
        prior, errors, counts = _maximise(heard, is_given, p, smoothing)
        # The prior is counted once a label, as crowd-kit does: the same stop, the same answers.
        fits = counts.sum(axis=0) @ np.log(prior) if log_priors is None else np.vdot(p, before)
        reached = ((counts * _log(errors)).sum() + fits + entropy) / max(1, len(coded.label))
        if reached - bound < tolerance:
            break
        bound = reached
    confusion = errors.reshape(annotators, classes, classes).transpose(0, 2, 1)
    return Fitted(p, np.ascontiguousarray(confusion), prior)


def fit_smoothed(
    coded: CodedLabels,
    *,
    smoothing: float = 1.0,
    iterations: int = ITERATIONS,
    log_priors: Table | None = None,
) -> Fitted:
    """The variant for few labels: everyone starts with ``smoothing`` of the average annotator's.

    ``log_priors`` are (I, K), as for :func:`fit`.

    Where most labels are their item's only one, the first matrices are those of the other
    items: an only vote agrees with itself, and who gave many would look better than anybody.
    """
    start = vote_shares(coded)
    is_judged = coded.has_several[coded.item]
    if is_judged.any() and 2 * is_judged.sum() < len(is_judged):
        start = start * coded.has_several[:, None]
    return fit(
        coded, iterations=iterations, smoothing=smoothing, log_priors=log_priors, start=start
    )


def votes_matrix(coded: CodedLabels) -> sparse.csr_array:
    """(I, W * K) how often item i got label l from annotator w, in column w * K + l."""
    items, annotators, classes = coded.shape
    columns = coded.annotator * classes + coded.label
    ones = np.ones(len(columns))
    shape = (items, annotators * classes)
    return sparse.csr_array(sparse.coo_array((ones, (coded.item, columns)), shape=shape))


def _used_labels(said: sparse.csr_array, annotators: int) -> NDArray[np.bool_]:
    """(W, K, 1) whether the annotator ever gave the label."""
    counts = np.bincount(said.indices, minlength=said.shape[1])
    return np.asarray(counts.reshape(annotators, said.shape[1] // max(1, annotators), 1) > 0)


def _maximise(
    heard: sparse.csc_array, is_given: NDArray[np.bool_], p: Table, smoothing: float
) -> tuple[Table, Table, Table]:
    """(prior (K,), errors (W * K, K), counts (W * K, K)); rows w * K + l, columns the truth."""
    classes = p.shape[1]
    prior = (np.ones(len(p)) @ p / max(1, len(p))).clip(min=TINY)
    annotators = len(is_given)
    counts: Table = np.asarray(heard @ p)
    by_annotator = counts.reshape(annotators, classes, classes)
    if smoothing:
        average = by_annotator.sum(axis=0) + 1 / max(1, classes)
        errors = by_annotator + smoothing * average / average.sum(axis=0)
    else:
        # A label that someone never gave has no share in their confusion matrix.
        errors = by_annotator.clip(min=TINY) * is_given
    totals = errors.sum(axis=1, keepdims=True)
    errors = np.divide(errors, totals, out=np.zeros_like(errors), where=totals > 0)
    return prior, errors.reshape(counts.shape), counts


def _log(errors: Table) -> Table:
    return np.asarray(np.log(np.where(errors > 0, errors, 1.0)))
