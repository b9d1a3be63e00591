"""How a record classifier learns: scales chosen, heads fitted and calibrated out of fold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from active_learning.classifiers.calibration import MIN_ROWS, platt_scaling, temperature_for
from active_learning.classifiers.design import BlockScales, DesignMatrix
from active_learning.classifiers.faulty_fields import FaultyFieldModel
from active_learning.classifiers.logistic_heads import LogisticHeads, fit_heads, softmax
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.types import Features, Marks, Progress, ShouldStop, check_stop, never

FOLDS = 4
SCALES = (
    BlockScales(0.0, 0.03),
    BlockScales(0.0, 0.15),
    BlockScales(1.0, 0.1),
    BlockScales(4.0, 0.1),
)
"""Candidates, quietest first. A louder one must lower the out-of-fold loss of a cold fit by more
than the standard error of the difference (the one-standard-error rule, Breiman et al. 1984)."""
COLD_ITERATIONS = 150
WARM_ITERATIONS = 40
FOLD_ITERATIONS = 60


Logits = NDArray[np.float64]


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

    def joined(self, later: "Labels") -> "Labels":
        """These labels and then the later ones."""
        return Labels(
            np.concatenate([self.grades, later.grades]),
            np.concatenate([self.issues, later.issues]),
            np.concatenate([self.faulty_fields, later.faulty_fields]),
            np.concatenate([self.weights, later.weights]),
            np.concatenate([self.is_calibrating, later.is_calibrating]),
        )

    @property
    def calibrating(self) -> NDArray[np.bool_]:
        """(n,) the rows that calibrate; all where too few may."""
        enough = self.is_calibrating.sum() >= MIN_ROWS
        return self.is_calibrating if enough else np.ones(len(self.weights), dtype=bool)

    def of_counted_rows(self) -> tuple[Marks, Marks]:
        """(issues, faulty fields) where rows of weight 0 answered nothing."""
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
    """What the labels teach.

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
        return _fit_on_one_thread(
            layout, classes, seed, features, codes, labels, known, progress, should_stop
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
    progress(0.0, f"learning faulty fields from {len(features):,} records")
    embeddings, signals = layout.split(features)
    marks, faulty_fields = labels.of_counted_rows()
    codes, weights = np.where(labels.weights > 0, codes, -1), labels.weights
    faults, unseen = FaultyFieldModel.fit(signals.cells, faulty_fields, seed=seed)
    folds = stratified_folds(codes, FOLDS, seed)
    scales = _candidates(known)
    unseen_codes = np.where(labels.calibrating & _is_shared(codes), codes, -1)
    plain, unscaled = DesignMatrix.fit(embeddings, signals, unseen)
    best: tuple[Logits, DesignMatrix, Logits, Logits] | None = None
    for number, scale in enumerate(scales):
        check_stop(should_stop, "training")
        progress(0.2 + 0.6 * number / len(scales), "choosing scales and calibrating")
        design = plain.rescaled(scale)
        matrix = design.rescale(unscaled)
        grades, issues = out_of_fold(matrix, codes, classes, marks, weights, folds, should_stop)
        temperature = temperature_for(grades, unseen_codes)
        loss = _log_losses(grades / temperature, unseen_codes, weights)
        if best is None or _is_clearly_lower(loss, best[0]):
            best = (loss, design, grades, issues)
    assert best is not None
    _, design, grades, issues = best
    matrix = design.rescale(unscaled)
    progress(0.8, "training the heads")
    check_stop(should_stop, "training")
    # The same heads, read off this design's own directions and scales.
    start = None if known is None else design.carried(known.heads, known.design)
    is_warm = known is not None and known.design.scales == design.scales
    heads = fit_heads(
        matrix,
        codes,
        classes,
        marks,
        sample_weight=weights,
        start=start,
        iterations=WARM_ITERATIONS if is_warm else COLD_ITERATIONS,
    )
    unseen_marks = np.where(labels.calibrating[:, None], marks, -1).astype(np.int8)
    scaling = [
        platt_scaling(issues[:, place], unseen_marks[:, place]) for place in range(marks.shape[1])
    ]
    progress(1.0, "trained")
    return FittedParts(
        design,
        heads,
        temperature_for(grades, unseen_codes),
        np.asarray(scaling, dtype=np.float64).reshape(-1, 2),
        faults,
    )


def _candidates(known: FittedParts | None) -> Sequence[BlockScales]:
    """All scales for a cold fit; for a warm one the known scales and those that are louder.

    Few labels, or labels of one class, ask for quiet scales; kept for ever, these would drown
    what later labels teach.
    """
    if known is None:
        return SCALES
    if known.design.scales not in SCALES:
        return (known.design.scales,)
    return SCALES[SCALES.index(known.design.scales) :]


def out_of_fold(
    matrix: NDArray[np.float32],
    codes: NDArray[np.intp],
    classes: int,
    issues: Marks,
    weights: NDArray[np.float64],
    folds: NDArray[np.intp],
    should_stop: ShouldStop = never,
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


def _is_shared(codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(n,) whether another row has the class too.

    A class of one row is unknown to the heads that judge this row out of fold: its loss is without
    bound whatever the scales and the temperature, and would drown all that the others say.
    """
    counts = np.bincount(codes[codes >= 0], minlength=1)
    return np.asarray((codes >= 0) & (counts[np.maximum(codes, 0)] > 1))


def _log_losses(
    logits: Logits, codes: NDArray[np.intp], sample_weight: NDArray[np.float64]
) -> Logits:
    """Log losses of the rows that count, a rare class weighted as much as a frequent one."""
    counted = codes >= 0
    logits, codes, sample_weight = logits[counted], codes[counted], sample_weight[counted]
    chosen = softmax(logits)[np.arange(len(codes)), codes]
    counts = np.bincount(codes, sample_weight)
    weights = len(codes) * sample_weight / ((counts > 0).sum() * counts[codes])
    losses: Logits = -np.log(np.maximum(chosen, 1e-12)) * weights
    return losses


def _is_clearly_lower(losses: Logits, others: Logits) -> bool:
    """Whether the mean is lower by more than the standard error of the paired difference."""
    gaps = others - losses
    return len(gaps) > 0 and bool(gaps.mean() > gaps.std() / np.sqrt(len(gaps)))
