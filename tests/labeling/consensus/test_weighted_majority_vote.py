"""Votes weighed by accuracy."""

import math

import numpy as np
import pytest

from labeling.consensus.base import LabelFrame
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.weighted_majority_vote import (
    even_confusion,
    fit_accuracies,
    weighted_majority_vote,
)
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


def test_everybody_starts_with_four_labels_of_the_average_accuracy() -> None:
    """Accuracies at the end against the definition, and how far a single label moves one."""
    rows, _ = random_rows(7, items=40)
    rows.append((rows[0][0], 99, "a"))
    frame = LabelFrame.from_rows(rows)
    result = weighted_majority_vote(frame)
    assert result.accuracy is not None
    p = {
        (item, k): result.probabilities[row, column]
        for row, item in enumerate(result.item_ids.tolist())
        for column, k in enumerate(result.classes.tolist())
    }
    several = {item for item, *_ in rows if sum(i == item for i, *_ in rows) > 1}
    compared = [row for row in rows if row[0] in several]
    average = (sum(p[i, k] for i, _, k in compared) + 2) / (len(compared) + 3)
    for place, person in enumerate(result.annotators.tolist()):
        own = [p[i, k] for i, w, k in compared if w == person]
        expected = (sum(own) + 4 * average) / (len(own) + 4)
        assert result.accuracy[place] == pytest.approx(expected, abs=1e-4)


def test_frequencies_are_those_found_and_one_item_more_of_all_classes() -> None:
    frame = random_frame(4, items=50)
    fitted = fit_accuracies(frame.codes, has_frequencies=True, iterations=500)
    p = fitted.probabilities
    assert fitted.class_prior == pytest.approx((p.sum(axis=0) + 1 / 3) / (len(p) + 1), abs=1e-4)
    assert fitted.class_prior.sum() == pytest.approx(1.0)
    even = fit_accuracies(frame.codes)
    assert even.class_prior.tolist() == [1 / 3] * 3


def test_errors_are_spread_evenly_over_the_other_classes() -> None:
    table = even_confusion(np.array([0.7, 0.4]), 4)
    assert np.diagonal(table, axis1=1, axis2=2).tolist() == [[0.7] * 4, [0.4] * 4]
    assert table[0, 0, 1:] == pytest.approx([0.1] * 3)
    assert table[1, 3, :3] == pytest.approx([0.2] * 3)
