"""The method that these labels call for."""

from dataclasses import replace
from functools import partial

import numpy as np

from labeling.consensus.base import Aggregator, LabelFrame
from labeling.consensus.classifier_prior import ItemPriors, consensus_with_priors
from labeling.consensus.dawid_skene import dawid_skene, fit
from labeling.consensus.held_out import vote_log_likelihoods
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.posterior import ConsensusResult
from labeling.consensus.weighted_majority_vote import fit_accuracies, weighted_majority_vote

SMOOTHING = 1.0
SHORT = 40


def automatic(
    frame: LabelFrame, *, priors: ItemPriors | None = None, seed: int = 0
) -> ConsensusResult:
    """Majority, weighted majority or Dawid-Skene, whichever foresees held-out votes best.

    Where no item has two labels, nothing can be compared and nobody judged: majority. The
    weights have to foresee votes that they have not seen better than the plain count does, so
    that two or three labels an item, or a handful an annotator, do not mislead them.

    Args:
        frame: the labels.
        priors: a classifier's out-of-fold probabilities. They take part where they foresee
            votes better than the best method without them; see ``consensus_with_priors``.
        seed: draws the held-out votes.

    Returns:
        The consensus; ``choice`` has the mean log-probability of held-out votes of each method.
    """
    coded = frame.coded
    several = np.bincount(coded.item, minlength=len(coded.items)).max(initial=0) > 1
    without: ConsensusResult
    if not several or len(coded.classes) < 2 or len(coded.annotators) < 2:
        without = majority_vote(frame)
    else:
        methods = {
            "majority": lambda rest: fit_accuracies(rest, is_shared=True)[0],
            "weighted_majority": lambda rest: fit_accuracies(rest)[0],
            "dawid_skene": lambda rest: (
                fit(rest, smoothing=SMOOTHING, iterations=SHORT).probabilities
            ),
        }
        logs = vote_log_likelihoods(coded, methods, seed=seed)
        choice = {name: float(each.mean()) for name, each in logs.items() if len(each)}
        best = max(choice, key=lambda name: choice[name]) if choice else "majority"
        without = replace(_METHODS[best](frame), choice=choice)
    if priors is None or not len(coded.items):
        return without
    return consensus_with_priors(frame, priors, without=without, seed=seed)


_METHODS: dict[str, Aggregator] = {
    "majority": majority_vote,
    "weighted_majority": weighted_majority_vote,
    "dawid_skene": partial(dawid_skene, smoothing=SMOOTHING),
}
