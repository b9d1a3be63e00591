"""Simulated annotators err as declared, and the same way each time."""

import numpy as np
import pytest

from active_learning.exceptions import ShapeMismatch, UnknownLabel
from active_learning.simulation.oracle import SimulatedAnnotator


def test_the_error_rate_is_the_declared_one() -> None:
    truth = ["good", "fair", "poor"] * 2000
    answers = SimulatedAnnotator(["good", "fair", "poor"], 0.2, seed=1).grades(truth)
    assert np.mean(np.array(answers) != np.array(truth)) == pytest.approx(0.2, abs=0.02)
    assert answers == SimulatedAnnotator(["good", "fair", "poor"], 0.2, seed=1).grades(truth)
    assert SimulatedAnnotator(["good", "fair", "poor"], 0.0, seed=1).grades(truth) == truth


def test_a_confusion_matrix_decides_which_way() -> None:
    confusion = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.3, 0.7]])
    annotator = SimulatedAnnotator(["a", "b", "c"], 0.0, seed=2, confusion=confusion)
    answers = annotator.grades(["a"] * 1000)
    assert set(answers) == {"a", "b"}
    assert answers.count("b") == pytest.approx(500, abs=60)


def test_marks_are_flipped_at_half_the_rate_and_unknown_ones_kept() -> None:
    truth = np.array([[0, 1, -1]] * 3000, dtype=np.int8)
    marks = SimulatedAnnotator(["a", "b"], 0.2, seed=3).marks(truth)
    assert (marks[:, 2] == -1).all()
    assert np.mean(marks[:, :2] != truth[:, :2]) == pytest.approx(0.1, abs=0.02)


def test_bad_declarations_are_refused() -> None:
    with pytest.raises(ValueError, match="error_rate"):
        SimulatedAnnotator(["a", "b"], 1.5, seed=0)
    with pytest.raises(ShapeMismatch):
        SimulatedAnnotator(["a", "b"], 0.1, seed=0, confusion=np.eye(3))
    with pytest.raises(UnknownLabel):
        SimulatedAnnotator(["a", "b"], 0.1, seed=0).grades(["z"])
