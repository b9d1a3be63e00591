"""A stated confidence is as often right, also where annotators err together."""

import numpy as np
import pytest

from labeling.consensus.automatic import fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.posterior import ConsensusResult

ITEMS = 1500


def independent(seed: int, votes: int) -> tuple[LabelFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(0, 3, ITEMS), rng.uniform(0.6, 0.97, 12)
    return crowd(
        rng,
        truth,
        (truth + rng.integers(1, 3, ITEMS)) % 3,
        votes,
        np.log(skill / (1 - skill)),
        np.zeros(ITEMS),
        is_shared=False,
    )


def together(seed: int, votes: int) -> tuple[LabelFrame, np.ndarray]:
    """Hard items are hard for everybody, and who errs falls for the same class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, ITEMS)
    lure = (truth + rng.integers(1, 3, ITEMS)) % 3
    return crowd(
        rng, truth, lure, votes, rng.normal(2.0, 0.7, 12), rng.normal(0, 1.5, ITEMS), is_shared=True
    )


def crowd(
    rng: np.random.Generator,
    truth: np.ndarray,
    lure: np.ndarray,
    votes: int,
    skill: np.ndarray,
    difficulty: np.ndarray,
    *,
    is_shared: bool,
) -> tuple[LabelFrame, np.ndarray]:
    rows = []
    for item in range(ITEMS):
        for who in rng.permutation(len(skill))[:votes].tolist():
            is_right = rng.random() < 1 / (1 + np.exp(difficulty[item] - skill[who]))
            wrong = lure[item] if is_shared else (truth[item] + rng.integers(1, 3)) % 3
            rows.append((item, who, "abc"[truth[item] if is_right else wrong]))
    return LabelFrame.from_rows(rows), truth


def right(result: ConsensusResult, truth: np.ndarray) -> np.ndarray:
    return np.asarray(result.codes == truth[result.item_ids])


@pytest.mark.parametrize("votes", [3, 5])
def test_independent_errors_are_stated_as_they_are(votes: int) -> None:
    stated, hits = [], []
    for seed in range(3):
        frame, truth = independent(seed, votes)
        model = fit_consensus(frame)
        assert model.dependence <= 0.05
        result = model.consensus(frame)
        stated.append(result.confidence)
        hits.append(right(result, truth))
    p, is_right = np.concatenate(stated), np.concatenate(hits)
    for tenth in range(10):
        inside = np.minimum((10 * p).astype(int), 9) == tenth
        if inside.sum() >= 100:
            error = 2 * np.sqrt(0.25 / inside.sum())
            assert abs(p[inside].mean() - is_right[inside].mean()) < 0.02 + error
    assert (~is_right[p < 0.75]).mean() > 0.25, "a case for low confidence is worth a look"


def test_errors_made_together_are_seen_and_change_no_label() -> None:
    surplus = []
    for seed in range(2):
        frame, truth = together(seed, 7)
        model = fit_consensus(frame)
        assert model.dependence >= 0.1
        result = model.consensus(frame)
        as_if = type(model)(**{**vars(model), "dependence": 0.0}).consensus(frame)
        assert result.codes.tolist() == as_if.codes.tolist()
        share = right(result, truth).mean()
        surplus.append((as_if.confidence.mean() - share, result.confidence.mean() - share))
    before, after = np.mean(surplus, axis=0)
    assert before > 0.08
    assert abs(after) < 0.6 * before
