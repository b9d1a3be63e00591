"""Rows in any order teach the same; balance and scales are chosen where they clearly help."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from active_learning.classifiers.design import BlockScales
from active_learning.classifiers.head_choice import (
    BALANCE_MARGIN,
    SCALES,
    Judge,
    candidates,
    is_shared,
)
from active_learning.classifiers.logistic_heads import fit_heads, softmax
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.classifiers.row_order import content_order
from active_learning.columns.signals import Signals
from active_learning.types import Positions, Probabilities
from tests.active_learning.conftest import CLASSES, ISSUES, World


@pytest.mark.parametrize("is_warm", [False, True])
def test_the_order_of_the_rows_does_not_matter(world: World, is_warm: bool) -> None:
    rng = np.random.default_rng(5)
    weights, may_calibrate = rng.uniform(0.2, 2.0, 90), rng.random(90) < 0.8
    earlier = fitted(world, np.arange(60)) if is_warm else None

    def predicted(order: Positions) -> list[Probabilities]:
        found = (
            RecordClassifier(world.layout, CLASSES, ISSUES, seed=3)
            .fit(
                world.features[order],
                world.grades[order],
                issues=world.issues[order],
                faulty_fields=world.faulty[order],
                sample_weight=weights[order],
                is_calibrating=may_calibrate[order],
                warm_start=earlier,
            )
            .predict_all(world.features[300:])
        )
        return [found.grades, found.issues, found.faulty_fields]

    for one, other in zip(predicted(np.arange(90)), predicted(rng.permutation(90)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_the_order_inside_the_parts_does_not_matter(world: World) -> None:
    rng = np.random.default_rng(2)
    found = []
    for mix in (lambda rows: rows, rng.permutation):
        classifier = fitted(world, mix(np.arange(50)))
        more = mix(np.arange(50, 90))
        classifier.partial_fit(
            world.features[more],
            world.grades[more],
            issues=world.issues[more],
            faulty_fields=world.faulty[more],
        )
        found.append(classifier.predict_proba(world.features))
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-6)


def test_rows_are_ordered_by_content() -> None:
    rng = np.random.default_rng(4)
    rows = rng.integers(0, 3, (60, 4)).astype(np.float32)
    marks = rng.integers(-1, 2, 60).astype(np.int8)
    sequence = np.column_stack([rows, marks])[content_order([rows, marks])]
    for _ in range(5):
        mixed = rng.permutation(60)
        other = np.column_stack([rows, marks])[mixed]
        order = content_order([rows[mixed], marks[mixed]])
        assert sorted(order.tolist()) == list(range(60))
        np.testing.assert_array_equal(other[order], sequence)


@pytest.mark.parametrize("seed", range(3))
def test_rare_grades_are_found_and_probabilities_stay_honest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(4, 24))
    shares = [0.55, 0.3, 0.1, 0.05]
    codes = rng.choice(4, 1400, p=shares)
    vectors = centres[codes] + 1.7 * rng.normal(size=(1400, 24))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    layout = FeatureLayout(24, 0, ("text",), 1)
    blank = Signals(np.zeros((1400, 0), np.float32), np.zeros((1400, 1, 1), np.float32))
    X, grades = layout.join(vectors, blank), np.array(list("abcd"))[codes]
    classifier = RecordClassifier(layout, "abcd").fit(X[:150], grades[:150])
    plain = fit_heads(
        vectors[:150] - vectors[:150].mean(axis=0), codes[:150], 4, np.zeros((150, 0), np.int8)
    )
    unweighted = plain.logits(vectors[150:] - vectors[:150].mean(axis=0))[0].argmax(axis=1)
    probabilities = classifier.predict_proba(X[150:])
    ours = f1_score(codes[150:], probabilities.argmax(axis=1), average="macro")
    assert ours > f1_score(codes[150:], unweighted, average="macro") + 0.05
    right = probabilities.argmax(axis=1) == codes[150:]
    assert abs(probabilities.max(axis=1).mean() - right.mean()) < 0.1
    for grade, share in enumerate(shares):
        assert probabilities[:, grade].mean() < share + 0.1


def test_the_judge_wants_a_clear_gain_of_the_weighted_loss() -> None:
    rng = np.random.default_rng(0)
    codes = rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    weights = rng.uniform(0.5, 2.0, 300)
    good = np.eye(3)[codes] * 2.0 + rng.normal(size=(300, 3))
    judged = np.where(rng.random(300) < 0.8, codes, -1)
    judge = Judge(judged, weights)
    assert not judge.prefers_scale(good, good)
    kept = judged >= 0
    share = np.bincount(codes[kept], weights[kept])

    def losses(logits: Probabilities) -> Probabilities:
        probabilities = softmax(logits[kept] / judge.temperature(logits))
        each = weights[kept] / np.sqrt(share[codes[kept]])
        chosen = probabilities[np.arange(kept.sum()), codes[kept]]
        return np.asarray(-np.log(chosen) * each / each.mean())

    answers = []
    for size in np.linspace(0.01, 1.0, 12):
        worse = good + size * rng.normal(size=good.shape)
        gaps = losses(worse) - losses(good)
        wanted = gaps.mean() > BALANCE_MARGIN * gaps.std() / np.sqrt(len(gaps))
        assert judge.prefers_balance(good, worse) == wanted
        answers.append(bool(wanted))
    assert {True, False} == set(answers)
    assert judge.prefers_balance(good, rng.normal(size=good.shape))
    assert not judge.prefers_balance(rng.normal(size=good.shape), good)


def test_nobody_may_judge() -> None:
    judge = Judge(np.full(5, -1), np.ones(5))
    assert not judge.prefers_scale(np.eye(5), np.zeros((5, 5)))
    assert judge.temperature(np.eye(5)) == 1.0
    assert is_shared(np.array([0, 1, 1, -1, 2])).tolist() == [False, True, True, False, False]


def test_a_warm_fit_tries_no_quieter_scales_and_forgets_retired_ones() -> None:
    assert candidates(None, has_signals=True) == SCALES
    assert candidates(SCALES[2], has_signals=True) == SCALES[2:]
    assert candidates(BlockScales(4.0, 0.1), has_signals=True) == SCALES


def test_text_is_never_silent_where_it_is_all_there_is() -> None:
    rng = np.random.default_rng(0)
    layout = FeatureLayout(40, 0, ("text",), 1)
    X = np.hstack([rng.normal(size=(24, 40)) / 6, np.zeros((24, 1))]).astype(np.float32)
    y = np.where(rng.random(24) < 0.5, "good", "poor")
    classifier = RecordClassifier(layout, ["good", "poor"]).fit(X, y)
    assert classifier.fitted_ is not None
    assert classifier.fitted_.design.scales.embedding > 0.0
    assert np.ptp(classifier.predict_proba(X)[:, 0]) > 0.0
    assert all(scale.embedding > 0.0 for scale in candidates(SCALES[0], has_signals=False))


def fitted(world: World, rows: Positions) -> RecordClassifier:
    return RecordClassifier(world.layout, CLASSES, ISSUES, seed=1).fit(
        world.features[rows],
        world.grades[rows],
        issues=world.issues[rows],
        faulty_fields=world.faulty[rows],
    )
