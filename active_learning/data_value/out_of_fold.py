"""Probabilities of labelled records from heads and trees that did not see their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from threadpoolctl import threadpool_limits

from active_learning.classifiers.faulty_fields import FaultyFieldModel
from active_learning.classifiers.head_training import out_of_fold, stratified_folds
from active_learning.classifiers.logistic_heads import softmax
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import NotFitted
from active_learning.label_errors import (
    LabelErrors,
    checked_codes,
    choose_judge,
    confident_errors,
    label_verdicts,
    opinion_pool,
    trust_temperature,
)
from active_learning.types import Features, Marks, Probabilities, ShouldStop, check_stop, never

FOLDS = 5
"""As cleanlab's default: four fifths of the labels are left to learn from."""
TREES = 100
"""scikit-learn's default."""
FOREST_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much the forest says; the share with the least log loss on the given labels is taken."""


def find_label_errors(
    classifier: RecordClassifier,
    features: Features,
    grades: Sequence[str] | NDArray[np.str_],
    *,
    faulty_fields: Marks | None = None,
    table: NDArray[np.float32] | None = None,
    folds: int = FOLDS,
    seed: int = 0,
    should_stop: ShouldStop = never,
) -> LabelErrors:
    """Suspected errors among the grades, by the heads that this classifier trains.

    Args:
        classifier: fitted on these records; its scales are kept, its heads trained anew.
        features: (n, layout.width).
        grades: n given grades.
        faulty_fields: (n, fields) as at the fit.
        table: (n, d) numbers of the records; where given, a forest joins out of bag. Give it
            where trees judge well: numeric columns rather than text.
        folds: parts that are judged by the others, classes spread evenly.
        seed: of folds and trees.

    Raises:
        NotFitted: the classifier has learnt nothing.
        NoLabels: there is no grade.
        UnknownLabel: a grade that the classifier does not know.
        ShapeMismatch: arrays that do not belong together.
        Cancelled: ``should_stop`` answered True.
    """
    matrix = honest_design(classifier, features, faulty_fields)
    return design_label_errors(
        matrix,
        grades,
        list(classifier.classes),
        table=table,
        folds=folds,
        seed=seed,
        should_stop=should_stop,
    )


def design_label_errors(
    matrix: NDArray[np.float32],
    given: Sequence[str] | NDArray[np.str_],
    classes: Sequence[str],
    *,
    table: NDArray[np.float32] | None = None,
    folds: int = FOLDS,
    seed: int = 0,
    should_stop: ShouldStop = never,
) -> LabelErrors:
    """Suspected errors by heads on a matrix (n, d) that holds nothing of the given labels (n,)."""
    flat = np.full((len(given), len(classes)), 1.0 / len(classes))
    codes = checked_codes(flat, given, classes)
    views = Views(matrix, table, len(classes), folds, seed, should_stop)
    first = views.probabilities(codes, np.ones(len(codes)))
    obvious = confident_errors(first, codes)
    doubted = label_verdicts(trust_temperature(first, codes, obvious), codes, classes).is_suspected
    second = views.probabilities(codes, np.where(doubted, 0.0, 1.0), doubted)
    found, is_shown = choose_judge(first, second, codes)
    return label_verdicts(found, codes, classes, is_shown=is_shown)


def honest_design(
    classifier: RecordClassifier, features: Features, faulty_fields: Marks | None
) -> NDArray[np.float32]:
    """(n, d) what the heads read, each record's field marks unseen by what judges its fields.

    Raises:
        NotFitted: the classifier has learnt nothing.
        ShapeMismatch: the matrix has another layout.
    """
    parts = classifier.fitted_
    if parts is None:
        raise NotFitted("Fit the classifier on the labelled records before judging their labels.")
    embeddings, signals = classifier.layout.split(features)
    if faulty_fields is None:
        faulty_fields = np.full(signals.cells.shape[:2], -1, np.int8)
    _, unseen = FaultyFieldModel.fit(signals.cells, faulty_fields, seed=classifier.seed)
    return parts.design.transform(embeddings, signals, unseen)


@dataclass(frozen=True)
class Views:
    """The heads out of fold, and the forest out of bag where there is a table."""

    matrix: NDArray[np.float32]
    table: NDArray[np.float32] | None
    classes: int
    folds: int
    seed: int
    should_stop: ShouldStop = never

    def probabilities(
        self,
        codes: NDArray[np.intp],
        weights: NDArray[np.float64],
        doubted: NDArray[np.bool_] | None = None,
    ) -> Probabilities:
        """(n, classes) calibrated on the labels that are not doubted; all count by default."""
        nothing = np.zeros(len(codes), dtype=bool) if doubted is None else doubted
        marks = np.zeros((len(codes), 0), np.int8)
        numbers = stratified_folds(codes, self.folds, self.seed + int(nothing.any()))
        with threadpool_limits(1):
            logits, _ = out_of_fold(
                self.matrix, codes, self.classes, marks, weights, numbers, self.should_stop
            )
        heads = trust_temperature(softmax(logits), codes, nothing)
        if self.table is None:
            return heads
        check_stop(self.should_stop, "judging labels")
        forest = trust_temperature(self.out_of_bag(codes, weights), codes, nothing)
        rows = np.flatnonzero(~nothing)

        def loss(pool: Probabilities) -> float:
            return -float(np.log(np.maximum(pool[rows, codes[rows]], 1e-12)).mean())

        pools = [opinion_pool([heads, forest], [1.0 - share, share]) for share in FOREST_SHARES]
        return min(pools, key=loss)

    def out_of_bag(self, codes: NDArray[np.intp], weights: NDArray[np.float64]) -> Probabilities:
        """(n, classes) of the trees that did not draw the record."""
        assert self.table is not None
        model = ExtraTreesClassifier(
            TREES, min_samples_leaf=3, max_features=0.6, bootstrap=True, random_state=self.seed
        )
        model.fit(self.table, codes, sample_weight=weights)
        total = np.full((len(codes), self.classes), 1e-3)
        for tree, drawn in zip(model.estimators_, model.estimators_samples_, strict=True):
            unseen = np.ones(len(codes), dtype=bool)
            unseen[drawn] = False
            found = tree.predict_proba(self.table[unseen])
            total[np.ix_(unseen, model.classes_.astype(int))] += found
        shares: Probabilities = total / total.sum(axis=1, keepdims=True)
        return shares
