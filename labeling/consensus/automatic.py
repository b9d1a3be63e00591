"""The method that these labels call for."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from labeling.consensus.base import CodedLabels, LabelFrame
from labeling.consensus.classifier_prior import FEWEST, add_classifier
from labeling.consensus.consensus_model import ConsensusModel, model_of
from labeling.consensus.dawid_skene import Fitted, fit_smoothed
from labeling.consensus.held_out import SHORT, choose_dependence, vote_log_likelihoods
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.posterior import FEW_LABELS, UNCHECKED, ConsensusResult
from labeling.consensus.weighted_majority_vote import fit_accuracies


def fit_consensus(
    frame: LabelFrame,
    priors: ItemPriors | None = None,
    *,
    classes: Sequence[str] | None = None,
    seed: int = 0,
) -> ConsensusModel:
    """Majority, weighted majority or Dawid-Skene, whichever foresees held-out votes best.

    Where no item has two labels, nothing can be compared and nobody judged: ``unchecked``. With
    fewer than 30 such items nobody is weighed: ``few_labels``, the majority's label. The
    weights have to foresee votes that they have not seen better than the plain count does, so
    that two or three labels an item, or a handful an annotator, do not mislead them. Weighted
    majority is tried with classes equally frequent and as frequent as they are found to be.
    Probabilities are those of the fitted model, also for majority: that of one accuracy shared
    by all, whose most probable class is the one with most votes.

    Args:
        frame: the labels.
        priors: a classifier's out-of-fold probabilities. They take part where they foresee
            votes better than the best method without them; see ``add_classifier``.
        classes: every class there can be; by default the classifier's, else those given.
        seed: draws the held-out votes; which votes it draws depends on the ids' order.

    Returns:
        The model; ``choice`` has the mean log-probability of held-out votes of each method.
    """
    names = classes if classes is not None else priors.classes if priors is not None else None
    coded = frame.codes if names is None else frame.codes.over(names)
    without = _without_classifier(coded, seed)
    if priors is None or not len(coded.items):
        return without
    return add_classifier(coded, priors.over(coded.classes), without=without, seed=seed)


def automatic(
    frame: LabelFrame, *, priors: ItemPriors | None = None, seed: int = 0
) -> ConsensusResult:
    """The consensus of every item by the model that ``fit_consensus`` finds for these labels."""
    return fit_consensus(frame, priors, seed=seed).consensus(frame, priors)


def _without_classifier(coded: CodedLabels, seed: int) -> ConsensusModel:
    several = int(coded.has_several.sum())
    if not several or len(coded.classes) < 2 or len(coded.annotators) < 2:
        none = np.zeros((0, len(coded.classes), len(coded.classes)))
        even = np.full(len(coded.classes), 1 / max(1, len(coded.classes)))
        return ConsensusModel(
            method="majority" if several else UNCHECKED,
            classes=coded.classes,
            annotators=np.empty(0, dtype=np.int64),
            confusion=none,
            usual_confusion=np.tile(even, (len(even), 1)),
            class_prior=even,
        )
    if several < FEWEST:
        return model_of(coded, _MODELS["majority"](coded), FEW_LABELS)
    short = {name: partial(model, iterations=SHORT) for name, model in _MODELS.items()}
    logs = vote_log_likelihoods(coded, short, seed=seed)
    choice = {name: float(each.mean()) for name, each in logs.items() if len(each)}
    best = max(choice, key=lambda name: choice[name]) if choice else "majority"
    return model_of(
        coded,
        _MODELS[best](coded),
        best.split()[0],
        dependence=choose_dependence(coded, short[best], seed=seed),
        choice=choice,
    )


_MODELS: dict[str, Callable[..., Fitted]] = {
    "majority": partial(fit_accuracies, is_shared=True),
    "weighted_majority": fit_accuracies,
    "weighted_majority with frequencies": partial(fit_accuracies, has_frequencies=True),
    "dawid_skene": fit_smoothed,
}
