"""Votes weighed by accuracy."""

import math

import numpy as np
import pytest

from labeling.consensus.base import LabelFrame
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.weighted_majority_vote import fit_accuracies, weighted_majority_vote
from tests.labeling.consensus.rows import random_frame, random_rows


@pytest.mark.parametrize("seed", range(5))
def test_the_end_is_a_fixed_point_of_the_definition(seed: int) -> None:
    rows, _ = random_rows(seed)
    result = weighted_majority_vote(LabelFrame.from_rows(rows))
    assert result.accuracy is not None
    skill = dict(zip(result.annotators.tolist(), result.accuracy.tolist(), strict=True))
    for row, item in enumerate(result.item_ids.tolist()):
        scores = {
            k: math.prod(
                skill[w] if label == k else (1 - skill[w]) / 2 for i, w, label in rows if i == item
            )
            for k in "abc"
        }
        expected = [scores[k] / sum(scores.values()) for k in "abc"]
        assert result.probabilities[row] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_a_shared_accuracy_is_the_majority(seed: int) -> None:
    frame = random_frame(seed)
    fitted = fit_accuracies(frame.codes, is_shared=True)
    p = fitted.probabilities
    assert (fitted.confusion == fitted.confusion[0]).all()
    shares = majority_vote(frame).probabilities
    assert ((p >= p.max(1, keepdims=True) - 1e-9) == (shares == shares.max(1, keepdims=True))).all()


def test_accuracies_order_annotators_as_they_are() -> None:
    rng = np.random.default_rng(1)
    skills = [0.95, 0.8, 0.65, 0.5, 0.35]
    rows = [
        (item, person, "abc"[item % 3] if rng.random() < skill else "abc"[rng.integers(3)])
        for item in range(300)
        for person, skill in enumerate(skills)
    ]
    found = weighted_majority_vote(LabelFrame.from_rows(rows)).accuracy
    assert found is not None
    assert (np.diff(found) < 0).all()
