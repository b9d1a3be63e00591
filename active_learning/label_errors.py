"""Suspected label errors: which given labels the classifier, not having seen them, contradicts.

Four steps. Confident learning (Northcutt, Jiang and Chuang 2021) marks the obvious errors. The
heads are trained again without them, so that wrong labels no longer teach the judge. These heads
are believed only if wrong labels explain the given ones clearly better than weak heads do. Then EM
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
from active_learning.label_confusion import label_confusion, true_label_posterior
from active_learning.types import Probabilities, Reason, Scores, class_mention

WRONG = 0.5
"""Labels that are more probably wrong than right are suspected."""
FLOOR = 1e-6
"""Least probability of which a logarithm is taken: 14 nats, so no single opinion is infinite."""
SHOWN = 2.0
"""Standard errors by which wrong labels must explain the given ones better than a weak classifier
does, before it is believed against many of them, or against most of a class. Chosen: by chance
alone about one time in forty."""
MANY, MOST = 0.35, 0.5
"""Shares contradicted from which that must be shown: of all labels, of a class. Chosen."""


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
    is_shown: bool = True
    """Whether wrong labels explain the given ones clearly better than a weak classifier does."""

    def ranking(self) -> NDArray[np.intp]:
        """(suspected,): positions of the suspected labels, the most suspect first."""
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
    plain = trust_temperature(probabilities, codes, np.zeros(len(codes), bool))
    found, is_shown = choose_judge(plain, trust_temperature(probabilities, codes, obvious), codes)
    return label_verdicts(found, codes, classes, is_shown=is_shown)


def label_verdicts(
    probabilities: Probabilities,
    codes: NDArray[np.intp],
    classes: Sequence[str],
    *,
    is_shown: bool = True,
    people: Probabilities | None = None,
) -> LabelErrors:
    """Suspected errors where the probabilities are of the true label, see :func:`choose_judge`.

    A class that the classifier hardly knows is not judged: the only record of a class, which
    nothing that judges it has seen; and, unless wrong labels are shown, a class of which it
    contradicts most. Its records get the mean error probability of the others.

    Args:
        probabilities: (n, classes).
        codes: (n,) the class number of every given label.
        classes: in the order of the columns.
        is_shown: whether wrong labels explain the given ones better than a weak classifier does.
        people: (n, classes) probability of each true label where several people gave it and it is
            known how often each is right: theirs and the classifier's word together. Then it is
            this that counts. Rows of NaN where it is not known.
    """
    posterior = true_label_posterior(probabilities, codes)
    if people is None:
        people = np.full(probabilities.shape, np.nan)
    is_known: NDArray[np.bool_] = np.isfinite(people[:, 0])
    posterior[is_known] = people[is_known]
    rows = np.arange(len(codes))
    wrong = np.clip(1.0 - posterior[rows, codes], 0.0, 1.0)
    doubt = 1.0 - probabilities[rows, codes]
    counts = np.bincount(codes)
    contradicted = np.bincount(codes, probabilities.argmax(axis=1) != codes)
    share = contradicted / np.maximum(counts, 1)
    unknown = ((counts == 1) | ((share > MOST) & (not is_shown)))[codes] & ~is_known
    for values in (wrong, doubt):
        values[unknown] = values[~unknown].mean() if not unknown.all() else 0.0
    scores = (_ranks(wrong) + _ranks(doubt)) / 2.0
    suspected = (wrong > WRONG) & ~unknown
    others = posterior.copy()
    others[rows, codes] = -1.0
    suggested = np.where(suspected, others.argmax(axis=1), codes)
    return LabelErrors(
        scores,
        wrong,
        suspected,
        [classes[code] for code in suggested.tolist()],
        [
            _unknown_reason(classes[given])
            if is_unknown
            else _reason(classes[given], classes[other], is_wrong)
            for given, other, is_wrong, is_unknown in zip(
                codes.tolist(),
                suggested.tolist(),
                suspected.tolist(),
                unknown.tolist(),
                strict=True,
            )
        ],
        float(wrong.mean()),
        is_shown,
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


def trust_temperature(
    probabilities: Probabilities, codes: NDArray[np.intp], doubted: NDArray[np.bool_]
) -> Probabilities:
    """(n, classes): the probabilities as sure as they are right on labels that are not doubted.

    Wrong labels make a classifier look unsure; the temperature is that of the others.
    """
    logits = np.log(np.maximum(probabilities, FLOOR))
    temperature = temperature_for(logits, np.where(doubted, -1, codes))
    return softmax(logits / temperature)


def choose_judge(
    plain: Probabilities, trusted: Probabilities, codes: NDArray[np.intp]
) -> tuple[Probabilities, bool]:
    """The (n, classes) to judge the labels (n,) by, and whether wrong labels are shown.

    A classifier that contradicts many labels is either right about wrong labels or weak itself.
    ``trusted``, calibrated without the doubted labels, cannot tell: of clean labels that the
    features hardly predict it would call a third wrong. Wrong labels are shown where ``trusted``,
    with its own estimate of how labels go wrong, explains the given ones better than ``plain``,
    calibrated on all of them, by ``SHOWN`` standard errors of the paired difference. ``trusted``
    is believed where they are, or where ``plain`` contradicts few labels (both look the same
    where the classifier is sure everywhere and some labels are wrong at random).
    """
    rows = np.arange(len(codes))
    explained = (trusted * label_confusion(trusted, codes)[:, codes].T).sum(axis=1)
    gaps = np.log(np.maximum(explained, 1e-300)) - np.log(np.maximum(plain[rows, codes], 1e-300))
    least = SHOWN * max(float(gaps.std()) * float(np.sqrt(len(gaps))), 1.0)
    is_shown = bool(gaps.sum() > least)
    is_rare = bool((plain.argmax(axis=1) != codes).mean() <= MANY)
    return trusted if is_shown or is_rare else plain, is_shown


def opinion_pool(views: Sequence[Probabilities], shares: Sequence[float]) -> Probabilities:
    """(n, classes): the logarithmic opinion pool, the normalised weighted geometric mean."""
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


def _reason(given: str, other: str, is_wrong: bool) -> Reason:
    """Without the probability, which moves with every further answer while a reason is kept."""
    if not is_wrong:
        return Reason("'{given}' stands", given=class_mention(given))
    return Reason(
        "labelled '{given}'; '{other}' is the most probable other label",
        given=class_mention(given),
        other=class_mention(other),
    )


def _unknown_reason(given: str) -> Reason:
    return Reason(
        "'{given}' is hardly known to the classifier: not judged", given=class_mention(given)
    )
