"""A weight of 2 is two rows, a weight of 0 is no row; scikit-learn agrees."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from active_learning.classifiers.logistic_heads import fit_heads, sigmoid, softmax
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import NoLabels, ShapeMismatch
from tests.active_learning.conftest import CLASSES, ISSUES, World


@pytest.mark.parametrize("balance", [0.0, 0.75, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_weights_count_like_repeated_rows(seed: int, balance: float) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(120, 5))
    codes = (features[:, :3] + rng.normal(size=(120, 3))).argmax(axis=1)
    marks = rng.integers(-1, 2, (120, 2)).astype(np.int8)
    times = rng.integers(0, 4, 120)
    order = rng.permutation(np.repeat(np.arange(120), times))
    options = {"class_balance": balance, "iterations": 2000, "tolerance": 1e-8}
    weighted = fit_heads(features, codes, 3, marks, sample_weight=times.astype(float), **options)
    repeated = fit_heads(features[order], codes[order], 3, marks[order], **options)
    for ours, theirs in zip(weighted.logits(features), repeated.logits(features), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.02)
    plain = fit_heads(features, codes, 3, marks, **options)
    assert np.abs(plain.logits(features)[0] - weighted.logits(features)[0]).max() > 0.1


@pytest.mark.parametrize("seed", range(3))
def test_weighted_heads_equal_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(150, 6))
    codes = (features[:, :3] + rng.normal(size=(150, 3))).argmax(axis=1)
    marks = (features[:, 3:4] + rng.normal(size=(150, 1)) > 0.7).astype(np.int8)
    weights = rng.uniform(0.05, 3.0, 150)
    heads = fit_heads(
        features, codes, 3, marks, sample_weight=weights, iterations=2000, tolerance=1e-8
    )
    grades, answers = heads.logits(features)
    multi = LogisticRegression(tol=1e-9, max_iter=5000).fit(features, codes, weights)
    np.testing.assert_allclose(softmax(grades), multi.predict_proba(features), atol=5e-3)
    yes = marks[:, 0] == 1
    share = np.where(yes, weights[yes].sum(), weights[~yes].sum())
    binary = LogisticRegression(tol=1e-9, max_iter=5000)
    binary.fit(features, marks[:, 0], weights * weights.sum() / (2 * share))
    np.testing.assert_allclose(
        sigmoid(answers)[:, 0], binary.predict_proba(features)[:, 1], atol=5e-3
    )


def test_records_without_weight_teach_nothing(world: World) -> None:
    rows, weights = np.arange(300), np.ones(300)
    weights[200:] = 0.0
    grades = world.grades[:300].copy()
    grades[200:] = np.roll(grades[200:], 1)
    weighted = RecordClassifier(world.layout, CLASSES, ISSUES).fit(
        world.features[rows],
        grades,
        issues=world.issues[rows],
        faulty_fields=world.faulty[rows],
        sample_weight=weights,
    )
    left_out = RecordClassifier(world.layout, CLASSES, ISSUES).fit(
        world.features[:200],
        world.grades[:200],
        issues=world.issues[:200],
        faulty_fields=world.faulty[:200],
    )
    agree = weighted.predict(world.features[400:]) == left_out.predict(world.features[400:])
    assert agree.mean() > 0.9
    assert weighted.score(world.features[400:], world.grades[400:].tolist()) > 0.85


def test_ones_change_nothing_and_later_rows_keep_their_weights(world: World) -> None:
    plain = RecordClassifier(world.layout, CLASSES).fit(world.features[:150], world.grades[:150])
    ones = RecordClassifier(world.layout, CLASSES).fit(
        world.features[:150], world.grades[:150], sample_weight=np.ones(150)
    )
    np.testing.assert_array_equal(
        plain.predict_proba(world.features), ones.predict_proba(world.features)
    )
    ones.partial_fit(
        world.features[150:250], world.grades[150:250], sample_weight=np.full(100, 1e-9)
    )
    agree = plain.predict(world.features) == ones.predict(world.features)
    assert agree.mean() > 0.9


def test_bad_weights_are_named(world: World) -> None:
    classifier = RecordClassifier(world.layout, CLASSES)
    rows, grades = world.features[:3], world.grades[:3]
    with pytest.raises(ShapeMismatch, match="sample_weight"):
        classifier.fit(rows, grades, sample_weight=np.ones(2))
    for bad in (-1.0, np.nan):
        with pytest.raises(ShapeMismatch, match="sample_weight"):
            classifier.fit(rows, grades, sample_weight=np.array([1.0, bad, 1.0]))
    with pytest.raises(NoLabels, match="weight 0"):
        classifier.fit(rows, grades, sample_weight=np.zeros(3))
