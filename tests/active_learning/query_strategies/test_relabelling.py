"""Relabelling against cleanlab's ActiveLab, and what it tells a caller."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.query_strategies.relabelling import relabel

CLASSES = ["good", "fair", "poor"]


def world(seed: int, most: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Answers of six annotators, 1 to ``most`` a record, and a classifier better than chance."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 200)
    answers = np.full((200, 6), -1, dtype=np.intp)
    for row in range(200):
        for annotator in rng.permutation(6)[: rng.integers(1, most + 1)]:
            is_right = rng.random() < 0.6 + 0.06 * annotator
            answers[row, annotator] = truth[row] if is_right else rng.integers(0, 3)
    probabilities = np.stack([rng.dirichlet(1 + 2 * np.eye(3)[kind]) for kind in truth])
    return answers, probabilities


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_single_answers_are_those_of_cleanlab(seed: int) -> None:
    reference = pytest.importorskip("cleanlab.multiannotator")
    answers, probabilities = world(seed, 1)
    unlabelled = np.random.default_rng(seed).dirichlet(np.ones(3), 50)
    expected = reference.get_active_learning_scores(
        np.where(answers < 0, np.nan, answers.astype(float)), probabilities, unlabelled
    )
    ours = relabel(answers, probabilities, CLASSES, unlabelled)
    assert 1 - ours.labelled == pytest.approx(expected[0], abs=1e-6)
    assert 1 - ours.unlabelled == pytest.approx(expected[1], abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_quality_of_many_answers_is_that_of_cleanlab_at_the_same_temperature(seed: int) -> None:
    reference = pytest.importorskip("cleanlab.multiannotator")
    answers, probabilities = world(seed, 4)
    table = np.where(answers < 0, np.nan, answers.astype(float))
    ours = relabel(answers, probabilities, CLASSES)
    scaled = probabilities ** (1 / ours.temperature)
    scaled /= scaled.sum(axis=1, keepdims=True)
    found = reference.get_label_quality_multiannotator(table, scaled, verbose=False)
    expected = found["label_quality"]
    assert ours.consensus.tolist() == expected["consensus_label"].tolist()
    assert ours.quality == pytest.approx(expected["consensus_quality_score"].to_numpy(), abs=1e-6)
    # cleanlab's temperature differs: its count of answers shifts classes that a record lacks
    # (value_counts of answers 1, 1, 2 is [2, 1, 0]). So the order is alike, not the same.
    scores, _ = reference.get_active_learning_scores(table, probabilities)
    assert spearmanr(-scores, ours.labelled).statistic > 0.6


def test_a_disputed_record_deserves_a_vote_more_than_an_agreed_one() -> None:
    answers = np.array([[0, 0, 0], [0, 1, -1], [1, 1, 1], [2, 2, -1], [1, 1, 0]])
    probabilities = np.eye(3)[[0, 0, 1, 2, 1]] * 0.7 + 0.1
    found = relabel(answers, probabilities, CLASSES)
    assert found.labelled.argmax() == 1
    assert "1 of 2 annotators said good" in found.reasons[1].en
    assert "2 名标注者中 1 名" in found.reasons[1].zh
    assert found.consensus.tolist() == [0, 0, 1, 2, 1]


def test_wrong_input_is_named() -> None:
    answers, probabilities = world(0, 2)
    with pytest.raises(NoLabels):
        relabel(np.full((2, 3), -1), probabilities[:2], CLASSES)
    with pytest.raises(ShapeMismatch):
        relabel(answers, probabilities[:, :2], CLASSES)
    with pytest.raises(ShapeMismatch):
        relabel(answers + 5, probabilities, CLASSES)
    with pytest.raises(ShapeMismatch):
        relabel(answers, probabilities * np.nan, CLASSES)
