"""The classifier of records: a grade, issues and faulty fields from one feature matrix."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.head_training import FittedParts, Labels, fit_parts
from active_learning.classifiers.logistic_heads import divide_by_temperature, sigmoid, softmax
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.exceptions import (
    NoLabels,
    NotFitted,
    ReplayMissing,
    ShapeMismatch,
    UnknownLabel,
)
from active_learning.types import (
    Features,
    Marks,
    Probabilities,
    Progress,
    RecordPredictions,
    ShouldStop,
    never,
    silent,
)


class RecordClassifier:
    """Logistic heads on [embedding, record signals, fault summary], calibrated out of fold.

    scikit-learn style (``get_params``, ``fit``, ``predict_proba``, ``classes_``), so that modAL's
    learners drive it. All labels are given at every fit; ``warm_start`` starts from the weights
    of an earlier classifier and needs few steps.

    Args:
        layout: of the feature matrix.
        classes: the grades, in the order of the probability columns.
        issues: names of the yes/no heads.
        seed: of folds and trees.
    """

    _estimator_type = "classifier"

    def __init__(
        self,
        layout: FeatureLayout,
        classes: Sequence[str],
        issues: Sequence[str] = (),
        *,
        seed: int = 0,
    ) -> None:
        self.layout = layout
        self.classes = classes
        self.issues = issues
        self.seed = seed
        self.fitted_: FittedParts | None = None
        self._replay: tuple[Features, Labels] | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 (the protocol's)
        """The arguments of the constructor."""
        return {
            "layout": self.layout,
            "classes": self.classes,
            "issues": self.issues,
            "seed": self.seed,
        }

    def set_params(self, **params: Any) -> Self:
        """The classifier with other arguments; fitted weights are forgotten."""
        unknown = set(params) - set(self.get_params())
        if unknown:
            raise ValueError(f"RecordClassifier has no parameter {sorted(unknown)}.")
        for name, value in params.items():
            setattr(self, name, value)
        self.fitted_, self._replay = None, None
        return self

    @property
    def classes_(self) -> NDArray[np.str_]:
        """(classes,): every declared grade, in the order of the probability columns."""
        return np.asarray(list(self.classes), dtype=np.str_)

    @property
    def n_features_in_(self) -> int:
        """Columns of the feature matrix."""
        return self.layout.width

    @property
    def is_fitted(self) -> bool:
        """Whether it has learnt from labels."""
        return self.fitted_ is not None

    def fit(
        self,
        X: Features,
        y: Sequence[str] | NDArray[np.str_],
        *,
        issues: Marks | None = None,
        faulty_fields: Marks | None = None,
        sample_weight: NDArray[np.float64] | None = None,
        is_calibrating: NDArray[np.bool_] | None = None,
        warm_start: "RecordClassifier | None" = None,
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> Self:
        """The classifier has learnt from exactly these labels.

        Args:
            X: (n, layout.width).
            y: n grades; every one among ``classes``.
            issues: (n, issues) 1 yes, 0 no, -1 not answered; none answered by default.
            faulty_fields: (n, fields), same coding; none marked by default.
            sample_weight: (n,) how much each row counts for the grade and the issues, 0 or more;
                one each by default. Rows of weight 0 are left out of everything, their faulty
                fields and the calibration too; other weights leave those two as they are.
            is_calibrating: (n,) false for rows whose label the encoder itself was fine-tuned on:
                they say nothing about how sure to be. All by default, or if fewer than 20 are left.
            warm_start: start from this classifier's weights where its scales still fit; louder ones
                are tried, quieter ones are not. Give all labels
                all the same: they are the replay that prevents forgetting.

        Raises:
            NoLabels: there is no row.
            UnknownLabel: a grade that was not declared.
            ShapeMismatch: arrays that do not belong together, or a weight below zero.
            Cancelled: ``should_stop`` answered True; the earlier state is untouched.
        """
        labels = self._labels(X, y, issues, faulty_fields, sample_weight, is_calibrating)
        known = None if warm_start is None else warm_start.fitted_
        self.fitted_ = self._fit(X, labels, known, progress, should_stop)
        self._replay = (X, labels)
        return self

    def partial_fit(
        self,
        X: Features,
        y: Sequence[str] | NDArray[np.str_],
        classes: Sequence[str] | None = None,  # noqa: ARG002 (scikit-learn's argument)
        *,
        issues: Marks | None = None,
        faulty_fields: Marks | None = None,
        sample_weight: NDArray[np.float64] | None = None,
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> Self:
        """The classifier has learnt from these labels and from all that it was given before.

        ``X`` is (n, layout.width), the rest as for :meth:`fit`.

        Raises:
            ReplayMissing: it was loaded from disk, so it holds weights but no labels.
        """
        labels = self._labels(X, y, issues, faulty_fields, sample_weight)
        if self.fitted_ is not None and self._replay is None:
            raise ReplayMissing(
                "This classifier was loaded without its labels: call fit with all labels and "
                "warm_start=it instead of partial_fit."
            )
        if self._replay is not None:
            before, old = self._replay
            X = np.concatenate([before, X])
            labels = old.join(labels)
        self.fitted_ = self._fit(X, labels, self.fitted_, progress, should_stop)
        self._replay = (X, labels)
        return self

    def predict(self, X: Features) -> NDArray[np.str_]:
        """(n,) the most probable grade."""
        predicted: NDArray[np.str_] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted

    def predict_proba(self, X: Features) -> Probabilities:
        """(n, classes) calibrated probabilities of the grades."""
        return self.predict_all(X).grades

    def predict_all(self, X: Features) -> RecordPredictions:
        """Grades, issues and faulty fields of the rows of ``X`` (n, layout.width) in one pass.

        Raises:
            NotFitted: no label was given yet.
            ShapeMismatch: the matrix has another layout.
        """
        parts = self.fitted_
        if parts is None:
            raise NotFitted("The classifier has seen no label yet: call fit first.")
        embeddings, signals = self.layout.split(X)
        faults = parts.faults.predict_proba(signals.cells)
        design = parts.design.transform(embeddings, signals, faults)
        grades, issues = parts.heads.logits(design)
        slopes, offsets = parts.issue_scaling.T
        return RecordPredictions(
            softmax(divide_by_temperature(grades, parts.temperature)),
            sigmoid(issues * slopes + offsets),
            faults,
        )

    def score(self, X: Features, y: Sequence[str]) -> float:
        """Share of the rows (n, layout.width) whose most probable grade is the given one."""
        return float((self.predict(X) == np.asarray(y)).mean())

    def _labels(
        self,
        features: Features,
        grades: Sequence[str] | NDArray[np.str_],
        issues: Marks | None,
        faulty_fields: Marks | None,
        sample_weight: NDArray[np.float64] | None,
        is_calibrating: NDArray[np.bool_] | None = None,
    ) -> Labels:
        self.layout.check(features)
        n = len(features)
        given = np.asarray(list(grades), dtype=np.str_)
        if n == 0:
            raise NoLabels("There is no label to learn from: give at least one row.")
        unknown = sorted(set(given.tolist()) - set(self.classes_.tolist()))
        if unknown:
            raise UnknownLabel(
                f"Grades {unknown} are not among {self.classes_.tolist()}: declare them or correct "
                "the labels."
            )
        shapes = {
            "y": (given.shape, (n,)),
            "issues": (None if issues is None else issues.shape, (n, len(self.issues))),
            "faulty_fields": (
                None if faulty_fields is None else faulty_fields.shape,
                (n, len(self.layout.fields)),
            ),
            "sample_weight": (None if sample_weight is None else sample_weight.shape, (n,)),
            "is_calibrating": (None if is_calibrating is None else is_calibrating.shape, (n,)),
        }
        for name, (shape, wanted) in shapes.items():
            if shape is not None and shape != wanted:
                raise ShapeMismatch(f"{name} has shape {shape}, needed is {wanted}.")
        weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
        if not np.isfinite(weights).all() or weights.min() < 0:
            raise ShapeMismatch("sample_weight must be finite and not below zero in every row.")
        if not weights.any():
            raise NoLabels("Every row has weight 0: give at least one row a weight above it.")
        return Labels(
            given,
            np.full((n, len(self.issues)), -1, np.int8) if issues is None else issues,
            np.full((n, len(self.layout.fields)), -1, np.int8)
            if faulty_fields is None
            else faulty_fields,
            weights,
            np.ones(n, dtype=bool) if is_calibrating is None else is_calibrating,
        )

    def _fit(
        self,
        features: Features,
        labels: Labels,
        known: FittedParts | None,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> FittedParts:
        names = self.classes_.tolist()
        codes = np.array([names.index(grade) for grade in labels.grades.tolist()], dtype=np.intp)
        return fit_parts(
            self.layout,
            len(names),
            self.seed,
            features,
            codes,
            labels,
            known,
            progress,
            should_stop,
        )
