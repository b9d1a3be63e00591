"""What strategies share: the highest, the rest, and how unsure a row is; against brute force."""

from dataclasses import replace

import numpy as np
import pytest

from active_learning.exceptions import NoLabels, NotFitted
from active_learning.query_strategies.base import (
    chances_of,
    complete,
    entropies,
    highest,
    known_vectors,
    labelled_candidates,
    margins,
    probabilities_of,
    top_two,
)
from tests.active_learning.test_strategy_contract import candidates


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [0, 1, 4, 20, 31])
def test_the_highest_are_a_sorted_head_and_the_rest_comes_by_score(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, 20).astype(float)  # many ties
    found = highest(scores, count, rng)
    assert len(set(found.tolist())) == min(count, 20)
    assert scores[found].tolist() == sorted(scores.tolist(), reverse=True)[:count]
    chosen = rng.permutation(20)[:6]
    whole = complete(chosen, scores, count)
    rest = sorted(set(range(20)) - set(chosen.tolist()), key=lambda row: (-scores[row], row))
    assert whole.tolist() == [*chosen.tolist(), *rest][: min(count, 20)]
    assert whole.dtype == found.dtype == np.intp


def test_each_of_equal_scores_is_drawn_as_often() -> None:
    scores = np.array([1.0, 0.0, 1.0, 1.0, 2.0])
    drawn = np.zeros(5)
    for seed in range(600):
        found = highest(scores, 2, np.random.default_rng(seed))
        assert found[0] == 4
        drawn[found[1]] += 1
    assert drawn[[0, 2, 3]] / 600 == pytest.approx(np.full(3, 1 / 3), abs=0.08)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_margins_entropies_and_the_top_two_are_those_of_each_row(classes: int) -> None:
    probabilities = np.random.default_rng(classes).dirichlet(np.ones(classes), 50)
    probabilities[:2] = 0.0
    probabilities[:2, -1] = 1.0
    if classes > 1:
        probabilities[1] = 0.0
        probabilities[1, :2] = 0.5
    pool = replace(candidates(50, classes), probabilities=probabilities)
    for row, each in enumerate(probabilities):
        order = sorted(range(classes), key=lambda k: (-each[k], k))
        first, second = order[0], order[min(1, classes - 1)]
        margin = each[first] - each[second] if classes > 1 else 1.0
        assert margins(probabilities)[row] == pytest.approx(margin)
        assert entropies(probabilities)[row] == pytest.approx(
            -sum(p * np.log(p) for p in each if p > 0)
        )
        assert top_two(pool, row) == (
            f"class {first}",
            f"class {second}",
            each[first],
            each[second],
        )


def test_what_is_missing_is_said_with_the_strategys_name() -> None:
    pool = candidates(9, 2)
    assert probabilities_of(pool, "x") is pool.probabilities
    assert labelled_candidates(pool, "x") == (pool.labelled_vectors, pool.labelled_probabilities)
    assert known_vectors(pool) is pool.labelled_vectors
    with pytest.raises(NotFitted, match="x needs"):
        probabilities_of(replace(pool, probabilities=None), "x")
    for bare in (
        replace(pool, labelled_vectors=None),
        replace(pool, labelled_probabilities=None),
        replace(pool, labelled_vectors=pool.vectors[:0], labelled_probabilities=np.zeros((0, 2))),
    ):
        with pytest.raises(NoLabels, match="x compares"):
            labelled_candidates(bare, "x")
    assert known_vectors(replace(pool, labelled_vectors=None)).shape == (0, 8)


def test_chances_are_the_candidates_own_else_new_ones() -> None:
    pool = candidates(9, 2)
    own = np.linspace(0, 1, 9)
    rng = np.random.default_rng(0)
    assert chances_of(replace(pool, chance=own), rng) is own
    drawn = chances_of(pool, rng)
    assert drawn.tolist() == np.random.default_rng(0).random(9).tolist()
