"""The method that these labels call for."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from labeling.consensus.base import LabelFrame
from labeling.consensus.classifier_prior import ItemPriors, consensus_with_priors
from labeling.consensus.dawid_skene import Fitted, fit_smoothed, result_of
from labeling.consensus.held_out import SHORT, vote_log_likelihoods
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.posterior import ConsensusResult
from labeling.consensus.weighted_majority_vote import fit_accuracies


def automatic(
    frame: LabelFrame, *, priors: ItemPriors | None = None, seed: int = 0
) -> ConsensusResult:
    """Majority, weighted majority or Dawid-Skene, whichever foresees held-out votes best.

    Where no item has two labels, nothing can be compared and nobody judged: majority. The
    weights have to foresee votes that they have not seen better than the plain count does, so
    that two or three labels an item, or a handful an annotator, do not mislead them. Weighted
    majority is tried with classes equally frequent and as frequent as they are found to be.
    Probabilities are those of the fitted model, also for majority: that of one accuracy shared
    by all, whose most probable class is the one with most votes.

    Args:
        frame: the labels.
        priors: a classifier's out-of-fold probabilities. They take part where they foresee
            votes better than the best method without them; see ``consensus_with_priors``.
        seed: draws the held-out votes; which votes it draws depends on the ids' order.

    Returns:
        The consensus; ``choice`` has the mean log-probability of held-out votes of each method.
    """
    coded = frame.coded
    if not coded.has_several.any() or len(coded.classes) < 2 or len(coded.annotators) < 2:
        without = majority_vote(frame)
    else:
        without = _best(frame, seed)
    if priors is None or not len(coded.items):
        return without
    return consensus_with_priors(frame, priors, without=without, seed=seed)


def _best(frame: LabelFrame, seed: int) -> ConsensusResult:
    coded = frame.coded
    short = {name: partial(model, iterations=SHORT) for name, model in _MODELS.items()}
    logs = vote_log_likelihoods(coded, short, seed=seed)
    choice = {name: float(each.mean()) for name, each in logs.items() if len(each)}
    best = max(choice, key=lambda name: choice[name]) if choice else "majority"
    fitted = _MODELS[best](coded)
    if best == "majority":
        return replace(majority_vote(frame), probabilities=fitted.probabilities, choice=choice)
    return replace(result_of(coded, fitted, best.split()[0]), choice=choice)


_MODELS: dict[str, Callable[..., Fitted]] = {
    "majority": partial(fit_accuracies, is_shared=True),
    "weighted_majority": fit_accuracies,
    "weighted_majority with frequencies": partial(fit_accuracies, has_frequencies=True),
    "dawid_skene": fit_smoothed,
}
