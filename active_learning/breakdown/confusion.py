"""What is taken for what: the confusion matrix, precision and recall of grades and issues."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.breakdown.shares import Share, share_of
from active_learning.exceptions import ShapeMismatch
from active_learning.types import Marks, Probabilities
from active_learning.verdicts.measures import MARKED


@dataclass(frozen=True)
class NameMeasures:
    """How well one grade or one issue is found."""

    name: str
    present: int
    """Records that have it."""
    found: int
    """Records of which the classifier says that they have it."""
    precision: Share
    """Of those found, the share that have it."""
    recall: Share
    """Of those that have it, the share found."""


def confusion_matrix(
    truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
) -> NDArray[np.int64]:
    """(classes, classes) records by their label (rows) and the classifier's answer (columns).

    Raises:
        ShapeMismatch: the two are not of the same records, or name other classes.
    """
    if len(truth) != len(predicted):
        raise ShapeMismatch(f"{len(truth)} labels and {len(predicted)} answers.")
    places = {name: place for place, name in enumerate(classes)}
    unknown = {*truth, *predicted} - places.keys()
    if unknown:
        raise ShapeMismatch(f"{sorted(unknown)} are not among {list(classes)}.")
    table = np.zeros((len(places), len(places)), dtype=np.int64)
    for given, answered in zip(truth, predicted, strict=True):
        table[places[given], places[answered]] += 1
    return table


def class_measures(table: NDArray[np.int64], classes: Sequence[str]) -> list[NameMeasures]:
    """Precision and recall of each class, from its confusion matrix (classes, classes)."""
    return [
        _measures(
            name, int(table[place, place]), int(table[place].sum()), int(table[:, place].sum())
        )
        for place, name in enumerate(classes)
    ]


def mark_measures(
    truth: Marks, probabilities: Probabilities, names: Sequence[str]
) -> list[NameMeasures]:
    """Precision and recall of each yes/no answer where it is said from ``MARKED`` on.

    Args:
        truth: (n, names) 1 yes, 0 no, -1 not known; the last are left out.
        probabilities: (n, names).
        names: of the columns.

    Raises:
        ShapeMismatch: the arrays do not belong together.
    """
    if not truth.shape == probabilities.shape == (len(truth), len(names)):
        raise ShapeMismatch(f"{truth.shape} answers, {probabilities.shape}, {len(names)} names.")
    is_said = probabilities >= MARKED
    return [
        _measures(
            name,
            int(((truth[:, place] == 1) & is_said[:, place]).sum()),
            int((truth[:, place] == 1).sum()),
            int(((truth[:, place] >= 0) & is_said[:, place]).sum()),
        )
        for place, name in enumerate(names)
    ]


def _measures(name: str, hits: int, present: int, found: int) -> NameMeasures:
    return NameMeasures(name, present, found, share_of(hits, found), share_of(hits, present))
