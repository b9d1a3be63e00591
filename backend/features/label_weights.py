"""How much each label counts: the probability that it is right."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.data_value.out_of_fold import find_label_errors
from active_learning.data_value.pruning import value_weights
from active_learning.types import Features, Marks, ShouldStop
from labeling.label_schema import LabelSchema

FEWEST_LABELS = 30
"""With fewer, one part judged by the others says too little. Chosen."""


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


def unswayed_classifier(
    layout: FeatureLayout,
    schema: LabelSchema,
    features: Features,
    grades: Sequence[str] | NDArray[np.str_],
    faulty_fields: Marks,
    seed: int,
    should_stop: ShouldStop,
) -> RecordClassifier:
    """A classifier of these labels on an encoder that was not fine-tuned on them.

    A fine-tuned encoder remembers its labels, so heads on it believe also the wrong ones.
    """
    return RecordClassifier(
        layout, classes=schema.grades, issues=schema.issue_values, seed=seed
    ).fit(features, grades, faulty_fields=faulty_fields, should_stop=should_stop)
