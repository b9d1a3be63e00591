"""The classifier of records: a grade, issues and faulty fields from one feature matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.calibration import platt_scaling, temperature_for
from active_learning.classifiers.design import DesignMatrix
from active_learning.classifiers.faulty_fields import FaultyFieldModel
from active_learning.classifiers.logistic_heads import LogisticHeads, fit_heads, sigmoid, softmax
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.exceptions import NoLabels, NotFitted, ReplayMissing, ShapeMismatch, UnknownLabel
from active_learning.types import (
    Features,
    Marks,
    Probabilities,
    Progress,
    RecordPredictions,
    ShouldStop,
    check_stop,
    never,
    silent,
)

FOLDS = 4
EMBEDDING_SCALES = (0.0, 1.5, 5.0)
"""How loud the text speaks beside the signals; chosen by out-of-fold loss on a cold fit."""
COLD_ITERATIONS = 150
WARM_ITERATIONS = 40
FOLD_ITERATIONS = 60


@dataclass(frozen=True)
class Labels:
    """What people said about the rows of a feature matrix."""

    grades: NDArray[np.str_]
    issues: Marks
    faulty_fields: Marks


@dataclass(frozen=True)
class FittedParts:
    """Everything that predictions need, and nothing else: this is what artifacts store."""

    design: DesignMatrix
    heads: LogisticHeads
    temperature: float
    issue_scaling: NDArray[np.float64]
    """(issues, 2) slope and offset."""
    faults: FaultyFieldModel


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
        """Every declared grade, in the order of the probability columns."""
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
        X: Features,  # noqa: N803 (scikit-learn's name)
        y: Sequence[str] | NDArray[np.str_],
        *,
        issues: Marks | None = None,
        faulty_fields: Marks | None = None,
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
            warm_start: start from this classifier's weights and keep its scales. Give all labels
                all the same: they are the replay that prevents forgetting.

        Raises:
            NoLabels: there is no row.
            UnknownLabel: a grade that was not declared.
            ShapeMismatch: arrays that do not belong together.
            Cancelled: ``should_stop`` answered True; the earlier state is untouched.
        """
        labels = self._labels(X, y, issues, faulty_fields)
        known = None if warm_start is None else warm_start.fitted_
        self.fitted_ = self._fit(X, labels, known, progress, should_stop)
        self._replay = (X, labels)
        return self

    def partial_fit(
        self,
        X: Features,  # noqa: N803
        y: Sequence[str] | NDArray[np.str_],
        classes: Sequence[str] | None = None,  # noqa: ARG002 (scikit-learn's argument)
        *,
        issues: Marks | None = None,
        faulty_fields: Marks | None = None,
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> Self:
        """The classifier has learnt from these labels and from all that it was given before.

        Raises:
            ReplayMissing: it was loaded from disk, so it holds weights but no labels.
        """
        labels = self._labels(X, y, issues, faulty_fields)
        if self.fitted_ is not None and self._replay is None:
            raise ReplayMissing(
                "This classifier was loaded without its labels: call fit with all labels and "
                "warm_start=it instead of partial_fit."
            )
        if self._replay is not None:
            before, old = self._replay
            X = np.concatenate([before, X])  # noqa: N806
            labels = Labels(
                np.concatenate([old.grades, labels.grades]),
                np.concatenate([old.issues, labels.issues]),
                np.concatenate([old.faulty_fields, labels.faulty_fields]),
            )
        self.fitted_ = self._fit(X, labels, self.fitted_, progress, should_stop)
        self._replay = (X, labels)
        return self

    def predict(self, X: Features) -> NDArray[np.str_]:  # noqa: N803
        """(n,) the most probable grade."""
        predicted: NDArray[np.str_] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted

    def predict_proba(self, X: Features) -> Probabilities:  # noqa: N803
        """(n, classes) calibrated probabilities of the grades."""
        return self.predict_all(X).grades

    def predict_all(self, X: Features) -> RecordPredictions:  # noqa: N803
        """Grades, issues and faulty fields of the same rows in one pass.

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
            softmax(grades / parts.temperature), sigmoid(issues * slopes + offsets), faults
        )

    def score(self, X: Features, y: Sequence[str]) -> float:  # noqa: N803
        """Share of rows whose most probable grade is the given one."""
        return float((self.predict(X) == np.asarray(y)).mean())

    def _labels(
        self,
        features: Features,
        grades: Sequence[str] | NDArray[np.str_],
        issues: Marks | None,
        faulty_fields: Marks | None,
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
        }
        for name, (shape, wanted) in shapes.items():
            if shape is not None and shape != wanted:
                raise ShapeMismatch(f"{name} has shape {shape}, needed is {wanted}.")
        return Labels(
            given,
            np.full((n, len(self.issues)), -1, np.int8) if issues is None else issues,
            np.full((n, len(self.layout.fields)), -1, np.int8)
            if faulty_fields is None
            else faulty_fields,
        )

    def _fit(
        self,
        features: Features,
        labels: Labels,
        known: FittedParts | None,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> FittedParts:
        check_stop(should_stop, "training")
        progress(0.0, f"learning faulty fields from {len(features):,} records")
        embeddings, signals = self.layout.split(features)
        faults, unseen = FaultyFieldModel.fit(
            signals.cells, labels.faulty_fields, seed=self.seed
        )
        codes = np.searchsorted(np.sort(self.classes_), labels.grades)
        codes = np.argsort(self.classes_)[codes]
        folds = _folds(codes, self.seed)
        scales = EMBEDDING_SCALES if known is None else (known.design.embedding_scale,)
        best: tuple[float, DesignMatrix, NDArray[Any], NDArray[Any], NDArray[Any]] | None = None
        for number, scale in enumerate(scales):
            check_stop(should_stop, "training")
            progress(0.2 + 0.6 * number / len(scales), "choosing scales and calibrating")
            design, matrix = DesignMatrix.fit(embeddings, signals, unseen, scale)
            grades, issues = self._out_of_fold(matrix, codes, labels.issues, folds, should_stop)
            loss = _log_loss(grades / temperature_for(grades, codes), codes)
            if best is None or loss < best[0] - 1e-3:
                best = (loss, design, matrix, grades, issues)
        assert best is not None
        _, design, matrix, grades, issues = best
        progress(0.8, "training the heads")
        check_stop(should_stop, "training")
        heads = fit_heads(
            matrix,
            codes,
            len(self.classes_),
            labels.issues,
            start=None if known is None else known.heads,
            iterations=COLD_ITERATIONS if known is None else WARM_ITERATIONS,
        )
        scaling = [
            platt_scaling(issues[:, place], labels.issues[:, place])
            for place in range(len(self.issues))
        ]
        progress(1.0, "trained")
        return FittedParts(
            design,
            heads,
            temperature_for(grades, codes),
            np.asarray(scaling, dtype=np.float64).reshape(-1, 2),
            faults,
        )

    def _out_of_fold(
        self,
        matrix: NDArray[np.float32],
        codes: NDArray[np.intp],
        issues: Marks,
        folds: NDArray[np.intp],
        should_stop: ShouldStop,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logits of every row from heads that did not see it."""
        classes = len(self.classes_)
        grades = np.zeros((len(codes), classes))
        answers = np.zeros((len(codes), issues.shape[1]))
        for fold in np.unique(folds):
            check_stop(should_stop, "calibrating")
            inside, outside = folds != fold, folds == fold
            if not inside.any():
                continue
            heads = fit_heads(
                matrix[inside], codes[inside], classes, issues[inside], iterations=FOLD_ITERATIONS
            )
            grades[outside], answers[outside] = heads.logits(matrix[outside])
        return grades, answers


def _folds(codes: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """(n,) fold numbers; every class is spread evenly."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.intp)
    folds[order] = np.arange(len(codes)) % FOLDS
    return folds


def _log_loss(logits: NDArray[np.float64], codes: NDArray[np.intp]) -> float:
    """Mean log loss over classes, so that a rare class counts as much as a frequent one."""
    chosen = np.log(np.maximum(softmax(logits)[np.arange(len(codes)), codes], 1e-12))
    return -float(np.mean([chosen[codes == code].mean() for code in np.unique(codes)]))
