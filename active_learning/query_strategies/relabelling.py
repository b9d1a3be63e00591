"""Relabelling: which labelled record deserves one more annotator, or is a new record worth more.

ActiveLab (Goh and Mueller 2023): the consensus of a record is as good as classifier and annotators
together say (CROWDLAB, Goh, Tkachenko and Mueller 2022), and the less good it is, and the fewer
annotators said it, the more one more vote would tell. Scores of labelled and of unlabelled records
are on one scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.types import Probabilities, Reason, Scores, class_mention

FLOOR = 1e-6
"""Least weight of an annotator or of the classifier. Chosen: nothing is divided by zero."""
COARSE = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0, 8.0)
"""Temperatures that are tried first. Chosen: from ten times as sure to an eighth."""
FINE_STEPS = 4
"""Between two of them then. Chosen: the loss is flat near its lowest."""

Answers = NDArray[np.intp]
"""(n, annotators) class that each annotator gave, -1 where nobody asked them."""


@dataclass(frozen=True)
class Relabelling:
    """How much one more annotator is worth, for labelled and for unlabelled records."""

    labelled: Scores
    """(n,) 0 to 1, larger means one more vote is worth more."""
    unlabelled: Scores
    """(m,) on the same scale: what a first vote is worth."""
    consensus: NDArray[np.intp]
    """(n,) the class that annotators and classifier agree on most."""
    quality: Scores
    """(n,) probability that the consensus is right."""
    reasons: list[Reason]
    """(n,) of the labelled records: who said what. ``quality`` is not told: beside another estimate
    of the same label it would read as a contradiction."""
    temperature: float
    """By which the classifier's logits were divided so that they fit the answers."""


def relabel(
    answers: Answers,
    probabilities: Probabilities,
    classes: Sequence[str],
    unlabelled: Probabilities | None = None,
) -> Relabelling:
    """What one more vote is worth for each record.

    Args:
        answers: (n, annotators) at least one in each row.
        probabilities: (n, classes) of a classifier that did not see the row's own answers.
        classes: names of the columns.
        unlabelled: (m, classes) of records without any answer.

    Raises:
        NoLabels: a row has no answer, or there is no row.
        ShapeMismatch: arrays that do not belong together, or a number that is no class.
    """
    _check(answers, probabilities, len(classes), unlabelled)
    given = answers >= 0
    votes = given.sum(axis=1)
    even = 1.0 / len(classes)
    temperature, classifier_weight = 1.0, 1.0
    annotator_weights: Scores = np.ones(answers.shape[1])
    if (votes == 1).all():
        consensus = answers.max(axis=1)
        quality = probabilities[np.arange(len(answers)), consensus]
    else:
        counts = _counts(answers, len(classes))
        temperature = _temperature(counts, probabilities)
        scaled = _at_temperature(probabilities, temperature)
        majority = _majority(counts, scaled)
        posterior, _, _ = _posterior(answers, majority, scaled)
        top = posterior == posterior.max(axis=1, keepdims=True)
        consensus = np.where(top.sum(axis=1) == 1, posterior.argmax(axis=1), majority)
        posterior, classifier_weight, annotator_weights = _posterior(answers, consensus, scaled)
        quality = posterior[np.arange(len(answers)), consensus]
    mean_weight = annotator_weights.mean()
    said = given @ annotator_weights + classifier_weight
    labelled = 1.0 - (quality * said + even * mean_weight) / (said + mean_weight)
    new: Scores = np.zeros(0)
    if unlabelled is not None:
        best = _at_temperature(unlabelled, temperature).max(axis=1)
        new = 1.0 - (best * classifier_weight + even * mean_weight) / (
            classifier_weight + mean_weight
        )
    agreeing = (answers == consensus[:, None]).sum(axis=1)
    return Relabelling(
        labelled,
        new,
        consensus,
        quality,
        [
            Reason.ngettext(
                "{agreeing} of {n} annotator said {grade}",
                "{agreeing} of {n} annotators said {grade}",
                n=said_by,
                agreeing=agree,
                grade=class_mention(classes[place]),
            )
            for agree, said_by, place in zip(
                agreeing.tolist(), votes.tolist(), consensus.tolist(), strict=True
            )
        ],
        temperature,
    )


def _check(
    answers: Answers, probabilities: Probabilities, classes: int, unlabelled: Probabilities | None
) -> None:
    if answers.ndim != 2 or probabilities.shape != (len(answers), classes):
        raise ShapeMismatch(
            f"answers {answers.shape} and probabilities {probabilities.shape} must have the same "
            f"rows, and a column for each of {classes} classes."
        )
    if unlabelled is not None and (unlabelled.ndim != 2 or unlabelled.shape[1] != classes):
        raise ShapeMismatch(f"unlabelled has shape {unlabelled.shape}, needed (m, {classes}).")
    for name, table in (("probabilities", probabilities), ("unlabelled", unlabelled)):
        if table is not None and not np.isfinite(table).all():
            raise ShapeMismatch(f"{name} holds NaN or infinite values.")
    if len(answers) == 0 or not (answers >= 0).any(axis=1).all():
        raise NoLabels("Every row of answers needs at least one; leave unlabelled records out.")
    if answers.max() >= classes:
        raise ShapeMismatch(f"answers hold class {answers.max()}, there are {classes} classes.")


def _counts(answers: Answers, classes: int) -> Scores:
    """(n, classes) how many annotators gave each class."""
    return np.stack([(answers == place).sum(axis=1) for place in range(classes)], 1).astype(float)


def _majority(counts: Scores, probabilities: Probabilities) -> NDArray[np.intp]:
    """Most votes; ties to the classifier's favourite among them, then to the rarer class."""
    rarer = -counts.sum(axis=0) / (counts.sum() + 1.0)
    tied = counts == counts.max(axis=1, keepdims=True)
    best = np.where(tied, probabilities, -np.inf)
    still = best == best.max(axis=1, keepdims=True)
    return np.asarray(np.where(still, rarer, -np.inf).argmax(axis=1), dtype=np.intp)


def _posterior(
    answers: Answers, consensus: NDArray[np.intp], probabilities: Probabilities
) -> tuple[Probabilities, float, Scores]:
    """CROWDLAB: (class probabilities by all, weight of the classifier, of each annotator)."""
    classes = probabilities.shape[1]
    given = answers >= 0
    votes = given.sum(axis=1)
    shared = votes > 1
    agreement = (answers == consensus[:, None]).sum(axis=1) / votes
    likelihood = float(agreement[shared].mean())
    other = (1.0 - likelihood) / (classes - 1)
    majority = np.bincount(consensus[shared], minlength=classes).argmax()
    blind_error = max(float((consensus[shared] != majority).mean()), FLOOR)
    weights = np.maximum(1.0 - (1.0 - _peer_agreement(answers, votes)) / blind_error, FLOOR)
    error = float((probabilities[shared].argmax(axis=1) != consensus[shared]).mean())
    classifier = max(1.0 - error / blind_error, FLOOR) * float(np.sqrt(votes.mean()))
    total = probabilities * classifier
    for place in range(classes):
        said = np.where(answers == place, likelihood, other) * given
        total[:, place] += said @ weights
    posterior: Probabilities = total / (given @ weights + classifier)[:, None]
    return posterior, classifier, weights


def _peer_agreement(answers: Answers, votes: NDArray[np.intp]) -> Scores:
    """(annotators,) how often each agrees with the others on the same records."""
    out = np.full(answers.shape[1], np.nan)
    for annotator in range(answers.shape[1]):
        rows = (answers[:, annotator] >= 0) & (votes > 1)
        if rows.any():
            own = answers[rows, annotator][:, None]
            agreed = (answers[rows] == own).sum(axis=1) - 1
            out[annotator] = agreed.sum() / (votes[rows] - 1).sum()
    known = ~np.isnan(out)
    return np.where(known, out, out[known].mean())


def _temperature(counts: Scores, probabilities: Probabilities) -> float:
    """Of a coarse and then a fine grid, the one with the least cross-entropy to the answers."""
    shares = counts / counts.sum(axis=1, keepdims=True)

    def loss(temperature: float) -> float:
        logs = np.log(np.maximum(_at_temperature(probabilities, temperature), 1e-100))
        return float(-(shares * logs).sum(axis=1).mean())

    place = int(np.argmin([loss(temperature) for temperature in COARSE]))
    fine = [COARSE[place]]
    if place > 0:
        fine += np.linspace(COARSE[place - 1], COARSE[place], FINE_STEPS, endpoint=False).tolist()
    if place < len(COARSE) - 1:
        fine += np.linspace(COARSE[place], COARSE[place + 1], FINE_STEPS + 1).tolist()
    return fine[int(np.argmin([loss(temperature) for temperature in fine]))]


def _at_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities at another temperature; rows sum to one."""
    logs = np.log(np.maximum(probabilities, 1e-100)) / temperature
    found = np.exp(logs - logs.max(axis=1, keepdims=True))
    scaled: Probabilities = found / found.sum(axis=1, keepdims=True)
    return scaled
