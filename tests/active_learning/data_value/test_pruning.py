"""The split claims what was measured: copies can go, a small needed sample cannot."""

import numpy as np
import pytest

from active_learning.data_value.out_of_fold import design_label_errors
from active_learning.data_value.pruning import ValueKind, split_by_value, value_weights
from active_learning.exceptions import Cancelled, NoLabels

NAMES = ["a", "b", "c"]


def world(n: int, seed: int, spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    matrix = (np.eye(3)[truth] * 3 + spread * rng.normal(size=(n, 3))).astype(np.float32)
    wrong = rng.random(n) < 0.15
    return matrix, np.where(wrong, (truth + 1) % 3, truth), wrong


def test_wrong_labels_are_harmful_and_weigh_little() -> None:
    matrix, given, wrong = world(600, 0, 1.0)
    errors = design_label_errors(matrix, [NAMES[c] for c in given], NAMES)
    found = split_by_value(matrix, given, 3, errors, repeats=4)
    harmful = np.array([kind == ValueKind.HARMFUL for kind in found.kinds])
    assert harmful[wrong].mean() > 0.7
    assert harmful[~wrong].mean() < 0.1
    assert found.weights[wrong].mean() < 0.4
    assert found.weights[~wrong].mean() > 0.8
    assert found.values[wrong].mean() < found.values[~wrong].mean()
    np.testing.assert_array_equal(found.weights, value_weights(errors))


def test_redundant_is_only_what_was_measured_to_be_free() -> None:
    matrix, given, _ = world(900, 1, 0.4)
    errors = design_label_errors(matrix, [NAMES[c] for c in given], NAMES)
    free = split_by_value(matrix, given, 3, errors, repeats=5, tolerance=0.02)
    redundant = free.kinds.count(ValueKind.REDUNDANT)
    allowed = [e.share for e in free.effects if e.chosen[1] >= -0.02]
    assert redundant == round(max(allowed) * int((~errors.is_suspected).sum()))
    assert redundant > 0
    strict = split_by_value(matrix, given, 3, errors, repeats=5, tolerance=-0.5)
    assert ValueKind.REDUNDANT not in strict.kinds
    assert "none is called redundant" in str(strict.summary)
    for effect in free.effects:
        for mean, low, high in (effect.chosen, effect.random):
            assert low <= mean <= high


def test_the_same_seed_gives_the_same_split() -> None:
    matrix, given, _ = world(200, 2, 1.0)
    errors = design_label_errors(matrix, [NAMES[c] for c in given], NAMES)
    first, second = (split_by_value(matrix, given, 3, errors, repeats=3) for _ in range(2))
    assert first.effects == second.effects
    assert first.kinds == second.kinds


def test_bad_input_is_named() -> None:
    matrix, given, _ = world(60, 3, 1.0)
    errors = design_label_errors(matrix, [NAMES[c] for c in given], NAMES)
    with pytest.raises(NoLabels, match="20"):
        split_by_value(matrix[:5], given[:5], 3, errors)
    with pytest.raises(Cancelled):
        split_by_value(matrix, given, 3, errors, should_stop=lambda: True)
