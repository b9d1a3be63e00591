"""The classifier learns, says how sure it is, and copes with little."""

import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from active_learning.classifiers.calibration import platt_scaling, temperature_for
from active_learning.classifiers.logistic_heads import (
    OUT_OF_PLAY,
    divide_by_temperature,
    fit_heads,
    sigmoid,
    softmax,
)
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.columns.signals import Signals
from active_learning.exceptions import (
    Cancelled,
    NoLabels,
    NotFitted,
    ReplayMissing,
    ShapeMismatch,
    UnknownLabel,
)
from active_learning.types import Features
from tests.active_learning.conftest import CLASSES, ISSUES, World


def trained(world: World, rows: slice = slice(0, 200)) -> RecordClassifier:
    return RecordClassifier(world.layout, CLASSES, ISSUES, seed=1).fit(
        world.features[rows],
        world.grades[rows],
        issues=world.issues[rows],
        faulty_fields=world.faulty[rows],
    )


def test_it_learns_grades_issues_and_fields_from_200_labels(world: World) -> None:
    classifier = trained(world)
    found = classifier.predict_all(world.features[400:])
    assert classifier.score(world.features[400:], world.grades[400:].tolist()) > 0.85
    assert roc_auc_score(world.faulty[400:].ravel(), found.faulty_fields.ravel()) > 0.97
    for place in range(2):
        assert roc_auc_score(world.issues[400:, place], found.issues[:, place]) > 0.95
    np.testing.assert_allclose(found.grades.sum(axis=1), 1.0)


def test_the_same_seed_gives_the_same_probabilities(world: World) -> None:
    first, second = trained(world), trained(world)
    np.testing.assert_array_equal(
        first.predict_proba(world.features), second.predict_proba(world.features)
    )


def test_the_order_of_the_declared_classes_is_the_order_of_the_columns(world: World) -> None:
    rows = slice(0, 150)
    for classes in (CLASSES, ("poor", "good", "fair")):
        classifier = RecordClassifier(world.layout, classes).fit(
            world.features[rows], world.grades[rows], faulty_fields=world.faulty[rows]
        )
        assert classifier.classes_.tolist() == list(classes)
        assert classifier.score(world.features[400:], world.grades[400:].tolist()) > 0.8


def test_partial_fit_forgets_nothing(world: World) -> None:
    classifier = trained(world, slice(0, 100))
    classifier.partial_fit(
        world.features[100:200],
        world.grades[100:200],
        issues=world.issues[100:200],
        faulty_fields=world.faulty[100:200],
    )
    whole = trained(world)
    agreement = classifier.predict(world.features) == whole.predict(world.features)
    assert agreement.mean() > 0.95


def test_a_warm_start_says_the_same_as_a_cold_one(world: World) -> None:
    cold = trained(world)
    warm = RecordClassifier(world.layout, CLASSES, ISSUES, seed=1).fit(
        world.features[:200],
        world.grades[:200],
        issues=world.issues[:200],
        faulty_fields=world.faulty[:200],
        warm_start=trained(world, slice(0, 150)),
    )
    assert (cold.predict(world.features) == warm.predict(world.features)).mean() > 0.95


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_handful_of_labels_of_one_class_is_enough_to_answer(world: World, count: int) -> None:
    rows = np.flatnonzero(world.grades == "fair")[:count]
    classifier = RecordClassifier(world.layout, CLASSES, ISSUES).fit(
        world.features[rows], world.grades[rows]
    )
    found = classifier.predict_all(world.features)
    assert set(classifier.predict(world.features)) == {"fair"}
    for values in (found.grades, found.issues, found.faulty_fields):
        assert np.isfinite(values).all()
        assert values.min() >= 0
        assert values.max() <= 1


def test_unanswered_issues_and_unmarked_fields_are_left_out(world: World) -> None:
    issues, faulty = world.issues[:200].copy(), world.faulty[:200].copy()
    issues[50:], faulty[50:] = -1, -1
    classifier = RecordClassifier(world.layout, CLASSES, ISSUES).fit(
        world.features[:200], world.grades[:200], issues=issues, faulty_fields=faulty
    )
    found = classifier.predict_all(world.features[400:])
    assert roc_auc_score(world.faulty[400:].ravel(), found.faulty_fields.ravel()) > 0.95


def test_bad_input_is_named(world: World) -> None:
    classifier = RecordClassifier(world.layout, CLASSES, ISSUES)
    with pytest.raises(NotFitted):
        classifier.predict_proba(world.features)
    with pytest.raises(NoLabels):
        classifier.fit(world.features[:0], [])
    with pytest.raises(UnknownLabel, match="excellent"):
        classifier.fit(world.features[:1], ["excellent"])
    with pytest.raises(ShapeMismatch, match="y has shape"):
        classifier.fit(world.features[:2], ["good"])
    with pytest.raises(ShapeMismatch, match="issues"):
        classifier.fit(world.features[:1], ["good"], issues=np.zeros((1, 5), np.int8))
    with pytest.raises(ShapeMismatch, match="layout"):
        classifier.fit(world.features[:, 1:], world.grades)


def test_a_cancelled_fit_leaves_the_earlier_state(world: World) -> None:
    classifier = trained(world)
    before = classifier.fitted_
    calls = iter([False, False, False, *[True] * 1000])
    with pytest.raises(Cancelled):
        classifier.fit(world.features[:300], world.grades[:300], should_stop=lambda: next(calls))
    assert classifier.fitted_ is before


def test_partial_fit_without_the_earlier_labels_is_refused(world: World) -> None:
    classifier = RecordClassifier(world.layout, CLASSES, ISSUES)
    classifier.fitted_ = trained(world).fitted_
    with pytest.raises(ReplayMissing):
        classifier.partial_fit(world.features[:1], ["good"])


def test_progress_reaches_the_end(world: World) -> None:
    seen: list[float] = []
    RecordClassifier(world.layout, CLASSES).fit(
        world.features[:60], world.grades[:60], progress=lambda share, _: seen.append(share)
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_it_is_fast(world: World) -> None:
    started = time.process_time()
    trained(world)
    assert time.process_time() - started < 5.0


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_heads_equal_scikit_learn(seed: int, balance: float) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(150, 6))
    codes = (features[:, :3] + rng.normal(size=(150, 3))).argmax(axis=1)
    marks = (features[:, 3:4] + rng.normal(size=(150, 1)) > 0.7).astype(np.int8)
    heads = fit_heads(
        features,
        codes,
        3,
        marks,
        c=0.7,
        class_balance=balance,
        iterations=2000,
        tolerance=1e-8,
    )
    grades, answers = heads.logits(features)
    each = np.bincount(codes) ** -balance
    weights = dict(enumerate(each * len(codes) / each[codes].sum()))
    multi = LogisticRegression(C=0.7, class_weight=weights, tol=1e-9, max_iter=5000)
    binary = LogisticRegression(C=0.7, class_weight="balanced", tol=1e-9, max_iter=5000)
    np.testing.assert_allclose(
        softmax(grades), multi.fit(features, codes).predict_proba(features), atol=5e-3
    )
    np.testing.assert_allclose(
        sigmoid(answers)[:, 0],
        binary.fit(features, marks[:, 0]).predict_proba(features)[:, 1],
        atol=5e-3,
    )


def test_a_class_without_rows_gets_no_probability() -> None:
    features = np.random.default_rng(0).normal(size=(40, 3))
    codes = np.where(features[:, 0] > 0, 2, 0)
    grades, _ = fit_heads(features, codes, 3, np.zeros((40, 0), np.int8)).logits(features)
    assert softmax(grades)[:, 1].max() < 1e-6


def test_temperature_finds_the_scale_that_was_hidden() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(4000, 3)) * 2
    codes = np.array([rng.choice(3, p=row) for row in softmax(honest)])
    assert temperature_for(honest * 3.0, codes) == pytest.approx(3.0, rel=0.1)


def test_platt_scaling_finds_the_line_that_was_hidden() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=5000) * 2
    marks = (rng.random(5000) < sigmoid(honest)).astype(np.int8)
    slope, offset = platt_scaling((honest + 1.0) * 2.0, marks)
    assert slope == pytest.approx(0.5, rel=0.1)
    assert offset == pytest.approx(-1.0, abs=0.15)


def test_a_warm_start_from_one_class_recovers_when_others_come() -> None:
    rng = np.random.default_rng(3)
    classes = [f"c{number}" for number in range(6)]
    centres = rng.normal(size=(6, 16))
    labels = np.repeat(np.arange(6), 40)
    vectors = centres[labels] + 0.3 * rng.normal(size=(240, 16))
    embeddings = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    signals = Signals(
        rng.normal(size=(240, 4)).astype(np.float32),
        rng.normal(size=(240, 1, 3)).astype(np.float32),
    )
    layout = FeatureLayout(16, 4, ("text",), 3)
    features, grades = layout.join(embeddings, signals), np.array(classes)[labels]
    warm = None
    for seen in range(1, 7):
        rows = labels < seen
        warm = RecordClassifier(layout, classes).fit(features[rows], grades[rows], warm_start=warm)
        cold = RecordClassifier(layout, classes).fit(features[rows], grades[rows])
        assert warm.score(features[rows], grades[rows]) >= (
            cold.score(features[rows], grades[rows]) - 0.05
        )


def test_heads_carried_to_another_design_say_the_same() -> None:
    rng = np.random.default_rng(8)
    layout = FeatureLayout(12, 4, ("text",), 3)
    signals = Signals(
        rng.normal(size=(160, 4)).astype(np.float32),
        rng.normal(size=(160, 1, 3)).astype(np.float32),
    )
    vectors = rng.normal(size=(160, 12)).astype(np.float32)
    features = layout.join(vectors, signals)
    grades = np.array(["a", "b", "c"])[vectors[:, :3].argmax(axis=1)]
    first = RecordClassifier(layout, ["a", "b", "c"]).fit(features[:100], grades[:100]).fitted_
    second = RecordClassifier(layout, ["a", "b", "c"]).fit(features, grades).fitted_
    assert first is not None
    assert second is not None
    assert first.design.scales.embedding > 0
    carried = second.design.carry(first.heads, first.design)
    embeddings, parts = layout.split(features)
    faults = first.faults.predict_proba(parts.cells)
    logits = [
        heads.logits(design.transform(embeddings, parts, faults))[0]
        for heads, design in ((first.heads, first.design), (carried, second.design))
    ]
    own = second.heads.logits(second.design.transform(embeddings, parts, faults))[0]
    gap = np.abs(logits[0] - logits[1]).mean()
    assert gap < 0.15 * np.abs(logits[0] - own).mean()


@pytest.mark.parametrize("seed", range(3))
def test_a_class_of_one_row_does_not_drown_the_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = ["a", "b", "c", "rare"]
    centres = rng.normal(size=(4, 24))
    labels = np.concatenate([np.repeat(np.arange(3), 30), [3]])
    vectors = centres[labels] + 0.8 * rng.normal(size=(91, 24))
    test = np.repeat(np.arange(3), 200)
    unseen = centres[test] + 0.8 * rng.normal(size=(600, 24))
    layout = FeatureLayout(24, 4, ("text",), 3)

    def features(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Features:
        signals = Signals(
            rng.normal(size=(len(rows), 4)).astype(np.float32),
            rng.normal(size=(len(rows), 1, 3)).astype(np.float32),
        )
        return layout.join(
            (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), signals
        )

    X, grades = features(vectors), np.array(classes)[labels]
    asked = features(unseen)
    without = RecordClassifier(layout, classes).fit(X[:90], grades[:90])
    with_one = RecordClassifier(layout, classes).fit(X, grades)
    truth = np.array(classes)[test]
    assert without.score(asked, truth) > 0.8
    assert with_one.score(asked, truth) >= without.score(asked, truth) - 0.05
    sure = with_one.predict_proba(asked).max(axis=1).mean()
    assert abs(sure - with_one.score(asked, truth)) < 0.15, "and it stays calibrated"


def test_a_grade_that_nobody_gave_stays_improbable_at_any_temperature() -> None:
    """Of labels that the features say nothing about, the temperature is high."""
    rng = np.random.default_rng(0)
    logits = np.c_[rng.normal(size=(60, 2)) * 4, np.full(60, OUT_OF_PLAY)]
    codes = rng.integers(2, size=60)
    temperature = temperature_for(logits, codes)
    assert temperature > 8
    assert softmax(divide_by_temperature(logits, temperature))[:, 2].max() < 1e-6
    assert softmax(logits / temperature)[:, 2].max() > 1e-3
