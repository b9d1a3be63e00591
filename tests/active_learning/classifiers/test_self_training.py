"""Pseudo-labels stay within their bounds, and never touch the audit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.classifiers.self_training import (
    SelfTrainingOptions,
    pseudo_labels,
    self_train,
)
from active_learning.columns.signals import CELL_SIGNALS
from active_learning.exceptions import Cancelled, ShapeMismatch
from tests.active_learning.conftest import CLASSES, ISSUES, World

LAYOUT = FeatureLayout(12, 0, (), len(CELL_SIGNALS))


def clusters(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, 600, p=[0.6, 0.3, 0.1])
    rows = rng.normal(size=(3, 12))[codes] + rng.normal(0, 0.5, (600, 12))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), np.array(list("abc"))[codes]


def factory() -> RecordClassifier:
    return RecordClassifier(LAYOUT, "abc", seed=1)


@pytest.mark.parametrize("seed", range(10))
def test_pseudo_labels_keep_every_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([0.1] * 4, size=500)
    labelled = np.array([40.0, 10.0, 3.0, 0.0])
    is_audit = rng.random(500) < 0.3
    options = SelfTrainingOptions(threshold=0.9, per_label=1.5, class_weight=0.4)
    found = pseudo_labels(probabilities, labelled, is_audit, options)
    assert (np.diff(found.positions) > 0).all()
    assert not is_audit[found.positions].any()
    for code, given in enumerate(labelled):
        mine = found.codes == code
        eligible = np.flatnonzero(
            (probabilities.argmax(1) == code) & (probabilities[:, code] >= 0.9) & ~is_audit
        )
        wanted = min(len(eligible), int(1.5 * given))
        surest = eligible[np.argsort(-probabilities[eligible, code])][:wanted]
        assert set(found.positions[mine].tolist()) == set(surest.tolist())
        assert found.weights[mine].sum() <= 0.4 * given + 1e-9
        assert (found.weights[mine] <= 1).all()


def test_what_the_audit_holds_does_not_change_the_classifier() -> None:
    rows, labels = clusters()
    is_audit = np.arange(540) % 3 == 0
    spoiled = rows[60:].copy()
    spoiled[is_audit] = rows[60:][::-1][is_audit]
    one = self_train(factory, rows[:60], labels[:60], rows[60:], is_audit=is_audit)
    two = self_train(factory, rows[:60], labels[:60], spoiled, is_audit=is_audit)
    np.testing.assert_array_equal(one.predict_proba(rows), two.predict_proba(rows))


def test_it_is_repeatable_and_learns_something_of_its_own() -> None:
    rows, labels = clusters()
    nobody = np.zeros(540, dtype=bool)
    one, two = (
        self_train(factory, rows[:60], labels[:60], rows[60:], is_audit=nobody) for _ in range(2)
    )
    np.testing.assert_array_equal(one.predict_proba(rows), two.predict_proba(rows))
    plain = factory().fit(rows[:60], labels[:60])
    assert np.abs(one.predict_proba(rows) - plain.predict_proba(rows)).max() > 1e-3
    assert one.score(rows[60:], labels[60:].tolist()) > 0.85


def test_without_pseudo_labels_it_is_the_plain_classifier() -> None:
    rows, labels = clusters()
    plain = factory().fit(rows[:60], labels[:60]).predict_proba(rows)
    everybody, nobody = np.ones(540, dtype=bool), np.zeros(540, dtype=bool)
    for is_audit, options in (
        (everybody, SelfTrainingOptions()),
        (nobody, SelfTrainingOptions(rounds=0)),
        (nobody, SelfTrainingOptions(per_label=0.0)),
    ):
        found = self_train(
            factory, rows[:60], labels[:60], rows[60:], is_audit=is_audit, options=options
        )
        np.testing.assert_array_equal(found.predict_proba(rows), plain)
    few = self_train(factory, rows[:15], labels[:15], rows[60:], is_audit=nobody)
    np.testing.assert_array_equal(
        few.predict_proba(rows), factory().fit(rows[:15], labels[:15]).predict_proba(rows)
    )
    none = self_train(factory, rows[:60], labels[:60], rows[:0], is_audit=nobody[:0])
    np.testing.assert_array_equal(none.predict_proba(rows), plain)


def test_issues_and_fields_learn_from_people_alone(world: World) -> None:
    part = slice(0, 150)

    def make() -> RecordClassifier:
        return RecordClassifier(world.layout, CLASSES, ISSUES, seed=1)

    found = self_train(
        make,
        world.features[part],
        world.grades[part],
        world.features[150:],
        is_audit=np.zeros(650, dtype=bool),
        options=SelfTrainingOptions(threshold=0.8),
        issues=world.issues[part],
        faulty_fields=world.faulty[part],
    )
    plain = make().fit(
        world.features[part],
        world.grades[part],
        issues=world.issues[part],
        faulty_fields=world.faulty[part],
    )
    rest = world.features[150:]
    np.testing.assert_allclose(
        found.predict_all(rest).faulty_fields, plain.predict_all(rest).faulty_fields
    )
    assert found.score(rest, world.grades[150:].tolist()) > 0.8


def test_progress_rises_to_one_and_a_request_to_stop_is_heard() -> None:
    rows, labels = clusters()
    nobody = np.zeros(540, dtype=bool)
    shares: list[float] = []
    self_train(
        factory,
        rows[:60],
        labels[:60],
        rows[60:],
        is_audit=nobody,
        progress=lambda share, _message: shares.append(share),
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    with pytest.raises(Cancelled):
        self_train(
            factory, rows[:60], labels[:60], rows[60:], is_audit=nobody, should_stop=lambda: True
        )


@pytest.mark.parametrize(
    "bad",
    [{"threshold": 0.4}, {"per_label": -1.0}, {"class_weight": 1.5}, {"rounds": -1}],
)
def test_bounds_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ShapeMismatch):
        SelfTrainingOptions(**bad)  # type: ignore[arg-type]


def test_an_audit_mask_of_another_length_is_refused() -> None:
    rows, labels = clusters()
    with pytest.raises(ShapeMismatch, match="is_audit"):
        self_train(factory, rows[:60], labels[:60], rows[60:], is_audit=np.zeros(3, dtype=bool))
