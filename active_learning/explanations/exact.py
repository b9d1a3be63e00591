"""Exact contributions: the classifier is linear in its design matrix, so they simply add up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.faulty_fields import CORE_COLUMNS
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.explanations.target import Target, fitted_parts
from active_learning.types import Features, Scores

TEXT = "text"
FAULT_COUNT = "number of faulty fields"
FAULT_KIND = "kind of fault"
RECORD = "record signals"
FIELD = "field: "


@dataclass(frozen=True)
class GroupContributions:
    """What each group of inputs adds to the log-odds of n records."""

    target: str
    groups: tuple[str, ...]
    contributions: NDArray[np.float64]
    """(n, groups); a row sums to the record's score less the reference."""
    scores: Scores
    """(n,) log-odds."""
    reference: float
    """Log-odds of the mean labelled record."""


def exact_contributions(
    classifier: RecordClassifier, features: Features, target: str
) -> GroupContributions:
    """Contributions against the mean labelled record, exact up to rounding.

    Groups are the text (all of its embedding), how many fields are suspected, how suspicious each
    field is, the kind of fault, and the record signals. These are also the Shapley values of the
    groups, because the log-odds are a sum over them.

    Raises:
        NotFitted: the classifier has learnt nothing.
        UnknownLabel: neither a grade nor an issue has that name.
        ShapeMismatch: the matrix has another layout.
    """
    parts = fitted_parts(classifier)
    wanted = Target.of(classifier, target)
    embeddings, signals = classifier.layout.split(features)
    faults = parts.faults.predict_proba(signals.cells)
    design = parts.design.transform(embeddings, signals, faults).astype(np.float64)
    fields, kinds = len(classifier.layout.fields), classifier.layout.cell_signals
    record = classifier.layout.record_signals
    sizes = [CORE_COLUMNS, *([1] * fields), kinds, record]
    names = (
        FAULT_COUNT,
        *(FIELD + name for name in classifier.layout.fields),
        FAULT_KIND,
        RECORD,
        TEXT,
    )
    products = design * wanted.weights
    columns = np.split(products, np.cumsum(sizes), axis=1)
    contributions = np.stack([part.sum(axis=1) for part in columns], axis=1)
    return GroupContributions(
        target, names, contributions, contributions.sum(axis=1) + wanted.reference, wanted.reference
    )
