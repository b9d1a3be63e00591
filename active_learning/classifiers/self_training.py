"""Self-training: a classifier's own sure answers as a bounded addition to what people said.

Pseudo-labels (Lee 2013), weighed down and balanced. An option that is off unless asked for: it
repeats what the classifier believes already, mistakes too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.calibration import MIN_ROWS
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import ShapeMismatch
from active_learning.types import (
    Features,
    Marks,
    Positions,
    Probabilities,
    Progress,
    ShouldStop,
    never,
    silent,
)


@dataclass(frozen=True)
class SelfTrainingOptions:
    """How far a classifier may believe itself."""

    threshold: float = 0.95
    """Calibrated probability below which an answer is no pseudo-label."""
    per_label: float = 2.0
    """At most so many pseudo-labels of a class for each row that people gave that class."""
    class_weight: float = 0.5
    """The pseudo-labels of a class together weigh at most this share of its given labels."""
    rounds: int = 1
    """How often the classifier learns from itself."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.threshold <= 1.0:
            raise ShapeMismatch(f"threshold is {self.threshold}; it must be from 0.5 to 1.")
        if self.per_label < 0 or not 0 <= self.class_weight <= 1 or self.rounds < 0:
            raise ShapeMismatch(
                f"per_label {self.per_label} and rounds {self.rounds} must not be below 0, "
                f"class_weight {self.class_weight} must be from 0 to 1."
            )


@dataclass(frozen=True)
class PseudoLabels:
    """Rows that a classifier labels itself; never shown or counted as what people said."""

    positions: Positions
    """Rows of the unlabelled matrix, ascending."""
    codes: NDArray[np.intp]
    """Column of the probabilities."""
    weights: NDArray[np.float64]


def pseudo_labels(
    probabilities: Probabilities,
    labelled: NDArray[np.float64],
    is_audit: NDArray[np.bool_],
    options: SelfTrainingOptions,
) -> PseudoLabels:
    """The surest rows of each class, in proportion to what people said of that class.

    Args:
        probabilities: (n, classes), calibrated.
        labelled: (classes,) weight of the rows that people gave each class.
        is_audit: (n,) rows that the audit measures by: never among the answer.
        options: bounds. A class that nobody gave gets no pseudo-label.

    Raises:
        ShapeMismatch: the arrays do not belong together.
    """
    n, classes = probabilities.shape
    if is_audit.shape != (n,) or labelled.shape != (classes,):
        raise ShapeMismatch(
            f"Probabilities have shape {probabilities.shape}, is_audit {is_audit.shape}, labelled "
            f"{labelled.shape}; needed are ({n},) and ({classes},)."
        )
    codes, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    eligible = (sure >= options.threshold) & ~is_audit
    chosen: list[Positions] = []
    weights = np.zeros(n)
    for code in range(classes):
        rows = np.flatnonzero(eligible & (codes == code))
        limit = int(options.per_label * labelled[code])
        rows = rows[np.argsort(-sure[rows], kind="stable")][:limit]
        if len(rows):
            weights[rows] = min(1.0, options.class_weight * float(labelled[code]) / len(rows))
            chosen.append(rows)
    positions = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=np.intp)
    return PseudoLabels(positions, codes[positions], weights[positions])


def self_train(
    classifier_factory: Callable[[], RecordClassifier],
    X: Features,
    y: Sequence[str] | NDArray[np.str_],
    X_unlabelled: Features,
    *,
    is_audit: NDArray[np.bool_],
    issues: Marks | None = None,
    faulty_fields: Marks | None = None,
    sample_weight: NDArray[np.float64] | None = None,
    warm_start: RecordClassifier | None = None,
    options: SelfTrainingOptions | None = None,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> RecordClassifier:
    """A classifier that has learnt from these labels and, weighed down, from its sure answers.

    With fewer than 20 labels, too few to say how sure it is, it learns from these alone.
    Only people's labels choose its scales and calibrate it. Fit anew when labels are added:
    ``partial_fit`` would take the pseudo-labels for people's.

    Args:
        classifier_factory: makes the classifiers, all alike.
        X: (n, width) labelled rows.
        y: n grades.
        X_unlabelled: (m, width).
        is_audit: (m,) true for records of the audit sample and for those waiting for an
            annotator as such: they get no pseudo-label.
        issues: (n, issues), as in ``RecordClassifier.fit``.
        faulty_fields: (n, fields), likewise.
        sample_weight: (n,), likewise.
        warm_start: of the first fit.
        options: bounds of the pseudo-labels.
        progress: called with the share done.
        should_stop: asked between steps.

    Raises:
        NoLabels, UnknownLabel, ShapeMismatch, Cancelled: as ``RecordClassifier.fit``.
    """
    chosen = options or SelfTrainingOptions()
    fits = chosen.rounds + 1
    classifier = classifier_factory().fit(
        X,
        y,
        issues=issues,
        faulty_fields=faulty_fields,
        sample_weight=sample_weight,
        warm_start=warm_start,
        progress=lambda share, message: progress(share / fits, message),
        should_stop=should_stop,
    )
    if is_audit.shape != (len(X_unlabelled),):
        raise ShapeMismatch(
            f"is_audit has shape {is_audit.shape}, needed is ({len(X_unlabelled)},)."
        )
    if not len(X_unlabelled) or len(X) < MIN_ROWS:
        return classifier
    given = np.asarray(list(y), dtype=np.str_)
    weights = np.ones(len(given)) if sample_weight is None else sample_weight
    names = classifier.classes_
    labelled = np.array([weights[given == name].sum() for name in names.tolist()])
    for number in range(1, fits):
        added = pseudo_labels(classifier.predict_proba(X_unlabelled), labelled, is_audit, chosen)
        if not len(added.positions):
            break
        count = len(added.positions)
        classifier = classifier_factory().fit(
            np.concatenate([X, X_unlabelled[added.positions]]),
            np.concatenate([given, names[added.codes]]),
            issues=_add_unanswered(issues, count),
            faulty_fields=_add_unanswered(faulty_fields, count),
            sample_weight=np.concatenate([weights, added.weights]),
            is_calibrating=np.arange(len(given) + count) < len(given),
            warm_start=classifier,
            progress=lambda share, message, done=number: progress(  # type: ignore[misc]
                (done + share) / fits, message
            ),
            should_stop=should_stop,
        )
    progress(1.0, "trained")
    return classifier


def _add_unanswered(marks: Marks | None, count: int) -> Marks | None:
    if marks is None:
        return None
    return np.concatenate([marks, np.full((count, marks.shape[1]), -1, np.int8)])
