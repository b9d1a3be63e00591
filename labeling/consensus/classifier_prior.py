"""Consensus of people and a classifier: what it expects of an item before anyone has voted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import CodedLabels, LabelFrame, Table
from labeling.consensus.dawid_skene import Fitted, fit, fit_smoothed, result_of
from labeling.consensus.held_out import SHORT, Fit, vote_log_likelihoods
from labeling.consensus.posterior import ConsensusResult
from labeling.consensus.weighted_majority_vote import fit_accuracies

WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0)
LEAST = 1e-6
SURE = 2.0

OutOfFold = Callable[[NDArray[np.int64], Table], Table]
"""(item ids (I,), soft labels (I, K)) to (I, K) probabilities of classifiers that were fitted
on the soft labels of other items."""


@dataclass(frozen=True)
class ItemPriors:
    """A classifier's probabilities, made without the item's own labels (out of fold).

    Attributes:
        item_ids: (m,) each once; items without a label are passed over.
        classes: (K,) names of the columns; every label given must be among them.
        probabilities: (m, K) rows sum to 1.
    """

    item_ids: NDArray[np.int64]
    classes: Sequence[str]
    probabilities: Table

    def __post_init__(self) -> None:
        expected = (len(self.item_ids), len(self.classes))
        if self.probabilities.shape != expected:
            raise ValueError(
                f"probabilities have shape {self.probabilities.shape}, item_ids and classes "
                f"ask for {expected}"
            )
        if len(np.unique(self.item_ids)) != len(self.item_ids):
            raise ValueError("item_ids names an item twice; give one row an item")
        is_sound = np.isfinite(self.probabilities).all() and (self.probabilities >= 0).all()
        if not is_sound or not np.allclose(self.probabilities.sum(axis=1), 1, atol=1e-3):
            raise ValueError("probabilities must be finite and not negative, and rows sum to 1")

    def of(self, items: NDArray[np.int64]) -> Table:
        """(I, K) rows of these items; the mean row where the classifier gave none."""
        if not len(self.item_ids):
            return np.full((len(items), len(self.classes)), 1 / max(1, len(self.classes)))
        order = np.argsort(self.item_ids)
        place = np.searchsorted(self.item_ids, items, sorter=order).clip(max=len(order) - 1)
        rows = order[place]
        is_there = self.item_ids[rows] == items
        return np.where(
            is_there[:, None], self.probabilities[rows], self.probabilities.mean(axis=0)
        )


def consensus_with_priors(
    frame: LabelFrame,
    priors: ItemPriors,
    *,
    without: ConsensusResult,
    seed: int = 0,
) -> ConsensusResult:
    """Consensus in which each item's prior is the classifier's, to a power that is measured.

    Annotators have confusion matrices (Dawid-Skene) or one accuracy each, whichever foresees
    held-out votes best.

    With q the classifier's probabilities, P(item is k) before its votes is proportional to
    f[k] * (q[k] / f[k]) ** weight, f[k] the mean of q[k]. The weight is the one that foresees
    held-out votes best (``choice``). ``without`` comes back unless the best weight foresees
    them better than it and than annotators' habits, by two standard errors: habits are all
    that is left where everything is put into one class, which single votes invite. It comes
    back too where people's answers speak against the classifier.

    ``confidence`` is the mean of the probability after the votes and the classifier's own,
    both of the consensus label: errors are where the two differ, and votes count as
    independent although annotators err together on hard items (Goh et al., CROWDLAB, 2022,
    average likewise).

    Args:
        frame: the labels.
        priors: the classifier's probabilities.
        without: the consensus of a method that does without.
        seed: draws the held-out votes.
    """
    coded = frame.coded.over(priors.classes)
    if not len(coded.items) or len(coded.classes) < 2:
        return without
    q = priors.of(coded.items).clip(min=LEAST)
    q = q / q.sum(axis=1, keepdims=True)
    if not _agrees(coded, q):
        return without
    single = not coded.has_several.any()
    priors_of = {weight: _log_priors(q, weight) for weight in (0.0, *WEIGHTS)}
    methods: dict[str, Fit] = {
        f"{name} {weight}": partial(model, iterations=SHORT, log_priors=priors_of[weight])
        for name, model in _MODELS.items()
        for weight in WEIGHTS
    }
    plain: dict[str, Fit] = {
        "without": partial(fit_smoothed, iterations=SHORT, log_priors=priors_of[0.0]),
        "habits": partial(_habits, q),
    }
    logs = vote_log_likelihoods(coded, methods | plain, seed=seed, needs_other_vote=not single)
    means = {name: float(each.mean()) for name, each in logs.items() if len(each)}
    if not means:
        return without
    best = max(methods, key=lambda name: means[name])
    # Means of other methods are of the same votes, where items have several.
    is_beaten = not single and means[best] <= max(without.choice.values(), default=-np.inf)
    if is_beaten or any(_surplus(logs[best] - logs[other]) <= SURE for other in plain):
        return replace(without, choice={**without.choice, **means})
    model, _, power = best.rpartition(" ")
    weight = float(power)
    fitted = _MODELS[model](coded, log_priors=priors_of[weight])
    found = result_of(coded, fitted, "classifier_prior")
    rows = np.arange(len(q))
    top = found.probabilities.argmax(axis=1)
    stated = (found.probabilities[rows, top] + q[rows, top]) / 2
    return replace(found, stated_confidence=stated, choice={**means, "weight": weight})


def consensus_with_classifier(
    frame: LabelFrame,
    out_of_fold: OutOfFold,
    *,
    start: ConsensusResult,
    rounds: int = 2,
    seed: int = 0,
) -> ConsensusResult:
    """Classifier on the consensus, consensus with the classifier, and again.

    Args:
        frame: the labels.
        out_of_fold: fits and predicts; see ``OutOfFold``.
        start: the consensus without a classifier; what comes back where it does not help.
        rounds: how often the classifier is fitted.
        seed: draws the held-out votes.
    """
    found = start
    for _ in range(rounds if len(start.item_ids) and len(start.classes) > 1 else 0):
        q = out_of_fold(found.item_ids, found.probabilities)
        priors = ItemPriors(found.item_ids, found.classes.tolist(), q)
        found = consensus_with_priors(frame, priors, without=start, seed=seed)
        if found.method == start.method:
            break
    return found


_MODELS: dict[str, Callable[..., Fitted]] = {
    "weight": fit_smoothed,
    "even errors, weight": fit_accuracies,
}


def _habits(q: Table, rest: CodedLabels) -> Fitted:
    """Every item as the average one: what is known of the annotators alone."""
    return fit(rest, iterations=0, smoothing=1.0, start=np.full(q.shape, q.mean(axis=0)))


def _agrees(coded: CodedLabels, q: Table) -> bool:
    """Whether people give the classes that the classifier expects, and none that it rules out.

    A model in which everybody lies to a classifier that is always wrong foresees votes as well
    as one in which both are right: only agreement tells the two apart.
    """
    gain = q[coded.item, coded.label] - q.mean(axis=0)[coded.label]
    by_class = [gain[coded.label == k] for k in np.unique(coded.label)]
    return _surplus(gain) > SURE and all(_surplus(each) > -SURE for each in by_class)


def _surplus(gain: NDArray[np.float64]) -> float:
    """The mean over its standard error; 0 where it is 0."""
    error = float(gain.std() / np.sqrt(len(gain)))
    return float(gain.mean()) / max(error, 1e-12)


def _log_priors(q: Table, weight: float) -> Table:
    frequency = q.mean(axis=0)
    scores = np.log(frequency) + weight * (np.log(q) - np.log(frequency))
    return np.asarray(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
