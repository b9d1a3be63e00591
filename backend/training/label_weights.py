"""How much each label counts: the probability that it is right."""

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.data_value.out_of_fold import find_label_errors
from active_learning.data_value.pruning import value_weights
from active_learning.types import Features, Marks, ShouldStop

FEWEST_LABELS = 30
"""With fewer, one part judged by the others says too little."""


def label_weights(
    classifier: RecordClassifier,
    features: Features,
    grades: NDArray[np.str_],
    faulty_fields: Marks,
    *,
    seed: int,
    should_stop: ShouldStop,
) -> NDArray[np.float64] | None:
    """(n,) weights of the labels that ``classifier`` learnt from; None where they are too few."""
    if len(grades) < FEWEST_LABELS:
        return None
    errors = find_label_errors(
        classifier,
        features,
        grades,
        faulty_fields=faulty_fields,
        seed=seed,
        should_stop=should_stop,
    )
    return value_weights(errors)
