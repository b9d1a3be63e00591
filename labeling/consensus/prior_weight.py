"""How much the classifier's view counts against one answer, judged by answers alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.answer_model import ClassProbabilities, answer_model
from labeling.consensus.base import LabelFrame

WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0)
FEWEST = 100  # items with two answers from which a weight is chosen


def choose_prior_weight(
    frame: LabelFrame,
    probabilities: ClassProbabilities,
    rng: np.random.Generator,
    weights: Sequence[float] = WEIGHTS,
    among: NDArray[np.bool_] | None = None,
) -> float:
    """The weight under which hidden answers are most probable; no truth is used.

    One answer of each item with two or more is hidden and predicted from the rest. Answers that
    err together on hard items are worth less than independent ones: then a weight above one
    wins. 1.0 where fewer than 100 items have two answers.

    ``among`` (n,) marks the answers that may be hidden: those to items that were not chosen for
    being hard, where there are enough, are the fairer ones.
    """
    shuffled = rng.permutation(len(frame.items))
    by_item = shuffled[np.argsort(frame.items[shuffled], kind="stable")]
    ordered = frame.items[by_item]
    is_first = np.ones(len(ordered), dtype=bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    has_more = np.zeros(len(ordered), dtype=bool)
    has_more[:-1] = ordered[:-1] == ordered[1:]
    hidden = by_item[is_first & has_more]
    if among is not None and among[hidden].sum() >= FEWEST:
        hidden = hidden[among[hidden]]
    if len(hidden) < FEWEST:
        return 1.0
    kept = np.ones(len(ordered), dtype=bool)
    kept[hidden] = False
    rest = LabelFrame(frame.items[kept], frame.annotators[kept], frame.labels[kept])
    likelihoods = []
    for weight in weights:
        model = answer_model(rest, probabilities, prior_weight=weight)
        known = np.isin(frame.annotators[hidden], model.annotators)
        known &= np.isin(frame.labels[hidden], model.classes)
        rows = hidden[known]
        items = np.searchsorted(model.items, frame.items[rows])
        people = np.searchsorted(model.annotators, frame.annotators[rows])
        answers = np.searchsorted(model.classes, frame.labels[rows])
        chance = (model.posterior[items] * model.confusions[people, :, answers]).sum(axis=1)
        likelihoods.append(float(np.log(chance.clip(1e-9)).mean()))
    return float(weights[int(np.argmax(likelihoods))])
