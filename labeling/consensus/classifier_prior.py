"""Consensus of people and a classifier: what it expects of an item before anyone has voted."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import CodedLabels, LabelFrame, Table
from labeling.consensus.consensus_model import ConsensusModel, model_of
from labeling.consensus.dawid_skene import Fitted, fit, fit_smoothed
from labeling.consensus.held_out import (
    CLEARLY,
    SHORT,
    Fit,
    choose_dependence,
    vote_log_likelihoods,
)
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.posterior import FEW_LABELS, ConsensusResult
from labeling.consensus.weighted_majority_vote import fit_accuracies

WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0)
"""Powers of the classifier that are tried. Below one half it hardly speaks; at 3 it counts three
times what it says of itself, which is what annotators who err together call for. Chosen."""

FEWEST = 30
"""Items with several labels from which people are told apart. In projects simulated with known
truth (``benchmarks.consensus``, ``small_projects``) methods that weigh people put a class above
the one that all had given in 7 to 12 % of those with 5 to 10 such items, in none of those with
30."""

OutOfFold = Callable[[NDArray[np.int64], Table], Table]
"""(item ids (I,), soft labels (I, K)) to (I, K) probabilities of classifiers that were fitted
on the soft labels of other items."""


def add_classifier(
    coded: CodedLabels, priors: ItemPriors, *, without: ConsensusModel, seed: int = 0
) -> ConsensusModel:
    """The model in which each item's prior is the classifier's, to a power that is measured.

    Annotators have confusion matrices (Dawid-Skene) or one accuracy each, whichever foresees
    held-out votes best.

    With q the classifier's probabilities, P(item is k) before its votes is proportional to
    f[k] * (q[k] / f[k]) ** weight, f[k] the mean of q[k]. The weight is the one that foresees
    held-out votes best (``choice``). ``without`` comes back unless the best weight foresees
    them better than it and than annotators' habits, by two standard errors: habits are all
    that is left where everything is put into one class, which single votes invite. It comes
    back too where people's answers speak against the classifier. With too few labels to measure
    anything the votes decide, everybody is equally often right and the classifier counts once.

    Args:
        coded: the labels, over the classes of ``priors``.
        priors: the classifier's probabilities.
        without: the model of a method that does without.
        seed: draws the held-out votes.
    """
    has_prior = priors.has(coded.items)
    if not has_prior.any() or len(coded.classes) < 2:
        return without
    known = priors.rows_of(coded.items[has_prior], np.ones(len(coded.classes)))
    frequency = known.mean(axis=0)
    q = priors.rows_of(coded.items, frequency)
    is_few = len(coded.items) < FEWEST
    if not _agrees(coded, q, at_least=-CLEARLY if is_few else CLEARLY):
        return without
    if is_few or without.method == FEW_LABELS:
        even = fit_accuracies(coded, is_shared=True, log_priors=_log_priors(q, frequency, 1.0))
        fitted = replace(even, class_prior=frequency)
        return model_of(coded, fitted, FEW_LABELS, prior_weight=1.0)
    single = not coded.has_several.any()
    priors_of = {weight: _log_priors(q, frequency, weight) for weight in (0.0, *WEIGHTS)}
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
    if is_beaten or any(_surplus(logs[best] - logs[other]) <= CLEARLY for other in plain):
        return replace(without, choice={**without.choice, **means})
    name, _, power = best.rpartition(" ")
    weight = float(power)
    fitted = replace(_MODELS[name](coded, log_priors=priors_of[weight]), class_prior=frequency)
    return model_of(
        coded,
        fitted,
        "classifier_prior",
        prior_weight=weight,
        dependence=choose_dependence(coded, methods[best], seed=seed),
        choice={**means, "weight": weight},
    )


def consensus_with_classifier(
    frame: LabelFrame,
    out_of_fold: OutOfFold,
    *,
    start: ConsensusModel,
    rounds: int = 2,
    seed: int = 0,
) -> ConsensusResult:
    """Classifier on the consensus, consensus with the classifier, and again.

    Args:
        frame: the labels.
        out_of_fold: fits and predicts; see ``OutOfFold``.
        start: the model without a classifier; its consensus comes back where that does not help.
        rounds: how often the classifier is fitted.
        seed: draws the held-out votes.
    """
    found = start.consensus(frame)
    for _ in range(rounds if len(found.item_ids) and len(found.classes) > 1 else 0):
        q = out_of_fold(found.item_ids, found.probabilities)
        priors = ItemPriors(found.item_ids, found.classes.tolist(), q)
        coded = frame.codes.over(priors.classes)
        model = add_classifier(coded, priors, without=start, seed=seed)
        found = model.consensus(frame, priors)
        if model.method == start.method:
            break
    return found


LENT = 10.0
"""Labels of the average annotator that everyone starts with, for each class, where many people gave
few labels each; beside it 1 is tried, and held-out votes choose."""

_MODELS: dict[str, Callable[..., Fitted]] = {
    "weight": fit_smoothed,
    "shrunk, weight": partial(fit_smoothed, smoothing=LENT),
    "even errors, weight": fit_accuracies,
}


def _habits(q: Table, rest: CodedLabels) -> Fitted:
    """Every item as the average one: what is known of the annotators alone."""
    return fit(rest, iterations=0, smoothing=1.0, start=np.full(q.shape, q.mean(axis=0)))


def _agrees(coded: CodedLabels, q: Table, at_least: float) -> bool:
    """Whether people give the classes that the classifier expects, and none that it rules out.

    A model in which everybody lies to a classifier that is always wrong foresees votes as well
    as one in which both are right: only agreement tells the two apart.
    """
    gain = q[coded.item, coded.label] - q.mean(axis=0)[coded.label]
    by_class = [gain[coded.label == k] for k in np.unique(coded.label)]
    return _surplus(gain) > at_least and all(_surplus(each) > -CLEARLY for each in by_class)


def _surplus(gain: NDArray[np.float64]) -> float:
    """The mean over its standard error; 0 where it is 0."""
    error = float(gain.std() / np.sqrt(len(gain)))
    return float(gain.mean()) / max(error, 1e-12)


def _log_priors(q: Table, frequency: Table, weight: float) -> Table:
    """(I, K) logarithms of f[k] * (q[i, k] / f[k]) ** weight, rows scaled to sum to 1."""
    scores = np.log(frequency) + weight * (np.log(q) - np.log(frequency))
    return np.asarray(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
