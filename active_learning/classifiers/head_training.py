"""How a record classifier learns: scales chosen, heads fitted and calibrated out of fold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from active_learning.classifiers.calibration import MIN_ROWS, platt_scaling
from active_learning.classifiers.design import DesignMatrix
from active_learning.classifiers.faulty_fields import FaultyFieldModel
from active_learning.classifiers.head_choice import (
    CLASS_BALANCES,
    Judge,
    candidates,
    is_shared,
)
from active_learning.classifiers.logistic_heads import LogisticHeads, Matrix, fit_heads
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.classifiers.row_order import content_order
from active_learning.types import Features, Marks, Progress, Reason, ShouldStop, check_stop, never

FOLDS = 4
"""Chosen: three quarters of the labels are left to learn from, and calibration costs four fits."""
COLD_ITERATIONS = 150
"""Of the optimiser, from zero. Chosen: a bound on time, not a target."""
WARM_ITERATIONS = 40
"""The same from the weights of the model before, which lie nearer."""
FOLD_ITERATIONS = 60
"""The same in each fold, from zero. Chosen: heads that only calibrate need not be as exact."""

Logits = Matrix


@dataclass(frozen=True)
class Labels:
    """What people said about the rows of a feature matrix."""

    grades: NDArray[np.str_]
    issues: Marks
    faulty_fields: Marks
    weights: NDArray[np.float64]
    """(n,) how much each row counts, 0 or more."""
    is_calibrating: NDArray[np.bool_]
    """(n,) whether the row may calibrate: false where the encoder itself has learnt its label."""

    def join(self, later: "Labels") -> "Labels":
        """These labels and then the later ones."""
        return Labels(
            np.concatenate([self.grades, later.grades]),
            np.concatenate([self.issues, later.issues]),
            np.concatenate([self.faulty_fields, later.faulty_fields]),
            np.concatenate([self.weights, later.weights]),
            np.concatenate([self.is_calibrating, later.is_calibrating]),
        )

    def at(self, rows: NDArray[np.intp]) -> "Labels":
        """The labels of these rows (m,)."""
        return Labels(
            self.grades[rows],
            self.issues[rows],
            self.faulty_fields[rows],
            self.weights[rows],
            self.is_calibrating[rows],
        )

    @property
    def calibration_rows(self) -> NDArray[np.bool_]:
        """(n,) the rows that calibrate; all where too few may."""
        enough = self.is_calibrating.sum() >= MIN_ROWS
        return self.is_calibrating if enough else np.ones(len(self.weights), dtype=bool)

    def of_counted_rows(self) -> tuple[Marks, Marks]:
        """Issues (n, issues) and faulty fields (n, fields); rows of weight 0 answered nothing."""
        silent = (self.weights == 0)[:, None]
        return (
            np.where(silent, -1, self.issues).astype(np.int8),
            np.where(silent, -1, self.faulty_fields).astype(np.int8),
        )


@dataclass(frozen=True)
class FittedParts:
    """Everything that predictions need, and nothing else: this is what artifacts store."""

    design: DesignMatrix
    heads: LogisticHeads
    temperature: float
    issue_scaling: NDArray[np.float64]
    """(issues, 2) slope and offset."""
    faults: FaultyFieldModel


def fit_parts(
    layout: FeatureLayout,
    classes: int,
    seed: int,
    features: Features,
    codes: NDArray[np.intp],
    labels: Labels,
    known: FittedParts | None,
    progress: Progress,
    should_stop: ShouldStop,
) -> FittedParts:
    """What the labels teach, whatever order the rows are in.

    Args:
        layout: of the features.
        classes: how many grades there are.
        seed: of folds and trees.
        features: (n, layout.width).
        codes: (n,) grades as numbers.
        labels: the same n rows.
        known: an earlier fit whose weights are the start, unless its scales prove too quiet.
        progress: called with the share done.
        should_stop: asked between steps.

    Raises:
        Cancelled: ``should_stop`` answered True.
    """
    # One thread: the matrices are small, and threads that wait for each other cost more.
    with threadpool_limits(1):
        parts = (labels.issues, labels.faulty_fields, labels.weights, labels.is_calibrating)
        order = content_order([features, codes, *parts])
        return _fit_on_one_thread(
            layout,
            classes,
            seed,
            np.ascontiguousarray(features[order]),
            codes[order],
            labels.at(order),
            known,
            progress,
            should_stop,
        )


def _fit_on_one_thread(
    layout: FeatureLayout,
    classes: int,
    seed: int,
    features: Features,
    codes: NDArray[np.intp],
    labels: Labels,
    known: FittedParts | None,
    progress: Progress,
    should_stop: ShouldStop,
) -> FittedParts:
    check_stop(should_stop, "training")
    progress(
        0.0,
        Reason.ngettext(
            "learning faulty fields from {n:,} record",
            "learning faulty fields from {n:,} records",
            n=len(features),
        ),
    )
    embeddings, signals = layout.split(features)
    marks, faulty_fields = labels.of_counted_rows()
    codes, weights = np.where(labels.weights > 0, codes, -1), labels.weights
    faults, unseen = FaultyFieldModel.fit(signals.cells, faulty_fields, seed=seed)
    folds = stratified_folds(codes, FOLDS, seed)
    plain, unscaled = DesignMatrix.fit(embeddings, signals, unseen)
    judge = Judge(np.where(labels.calibration_rows & is_shared(codes), codes, -1), weights)
    balance, *others = CLASS_BALANCES

    def trial(
        design: DesignMatrix, marks: Marks, balance: float, share: float
    ) -> tuple[DesignMatrix, Logits, Logits]:
        check_stop(should_stop, "training")
        progress(0.2 + 0.6 * share, Reason("choosing scales and calibrating"))
        matrix = design.rescale(unscaled)
        return design, *out_of_fold(
            matrix, codes, classes, marks, weights, folds, should_stop, class_balance=balance
        )

    scales = candidates(
        None if known is None else known.design.scales,
        has_signals=bool(np.isfinite(plain.spread).any()),
    )
    steps = len(scales) + len(others)
    design, grades, issues = trial(plain.with_scales(scales[0]), marks, balance, 0.0)
    for number, scale in enumerate(scales[1:], start=1):
        found = trial(plain.with_scales(scale), marks, balance, number / steps)
        if judge.prefers_scale(found[1], grades):
            design, grades, issues = found
    for number, other in enumerate(others, start=len(scales)):
        # What people said of issues is balanced by itself.
        _, rivals, _ = trial(design, marks[:, :0], other, number / steps)
        if judge.prefers_balance(rivals, grades):
            balance, grades = other, rivals
    matrix = design.rescale(unscaled)
    progress(0.8, Reason("training the heads"))
    check_stop(should_stop, "training")
    # The same heads, read off this design's own directions and scales.
    start = None if known is None else design.carry(known.heads, known.design)
    is_warm = known is not None and known.design.scales == design.scales
    heads = fit_heads(
        matrix,
        codes,
        classes,
        marks,
        class_balance=balance,
        sample_weight=weights,
        start=start,
        iterations=WARM_ITERATIONS if is_warm else COLD_ITERATIONS,
    )
    unseen_marks = np.where(labels.calibration_rows[:, None], marks, -1).astype(np.int8)
    scaling = [
        platt_scaling(issues[:, place], unseen_marks[:, place]) for place in range(marks.shape[1])
    ]
    progress(1.0, Reason("trained"))
    return FittedParts(
        design,
        heads,
        judge.temperature(grades),
        np.asarray(scaling, dtype=np.float64).reshape(-1, 2),
        faults,
    )


def out_of_fold(
    matrix: NDArray[np.float32],
    codes: NDArray[np.intp],
    classes: int,
    issues: Marks,
    weights: NDArray[np.float64],
    folds: NDArray[np.intp],
    should_stop: ShouldStop = never,
    *,
    class_balance: float = 0.0,
) -> tuple[Logits, Logits]:
    """((n, classes), (n, issues)) logits of every row from heads that did not see it."""
    grades = np.zeros((len(codes), classes))
    answers = np.zeros((len(codes), issues.shape[1]))
    for fold in np.unique(folds):
        check_stop(should_stop, "calibrating")
        inside, outside = folds != fold, folds == fold
        if not inside.any():
            continue
        heads = fit_heads(
            matrix[inside],
            codes[inside],
            classes,
            issues[inside],
            class_balance=class_balance,
            sample_weight=weights[inside],
            iterations=FOLD_ITERATIONS,
        )
        grades[outside], answers[outside] = heads.logits(matrix[outside])
    return grades, answers


def stratified_folds(codes: NDArray[np.intp], folds: int, seed: int) -> NDArray[np.intp]:
    """(n,) fold numbers; every class is spread evenly, a class of one row is in one fold."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    numbers = np.empty(len(codes), dtype=np.intp)
    numbers[order] = np.arange(len(codes)) % folds
    return numbers
