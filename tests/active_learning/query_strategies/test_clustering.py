"""Clusters in order of likeness, the best of each, and blocks of distances that fit."""

import numpy as np
import pytest

from active_learning.query_strategies.clustering import (
    best_of_each,
    clusters_of,
    in_order_of_likeness,
)
from active_learning.query_strategies.distances import BLOCK_VALUES, _rows_at_once
from active_learning.query_strategies.factory import make_strategy
from active_learning.query_strategies.vectors import CHUNK
from tests.active_learning.test_strategy_contract import candidates
from tests.fixtures.chinese import in_chinese


def test_like_clusters_get_neighbouring_numbers() -> None:
    places = np.array([0.0, 10.0, 0.5, 10.5, 30.0])
    clusters = np.random.default_rng(0).permutation(np.repeat(np.arange(5), 4))
    vectors = np.stack([places[clusters], np.zeros(20)], axis=1).astype(np.float32)
    found = in_order_of_likeness(vectors, clusters + 7)
    number = {name: set(found[clusters == name].tolist()) for name in range(5)}
    assert all(len(each) == 1 for each in number.values()), "a cluster stays together"
    at = [number[name].pop() for name in range(5)]
    assert sorted(at) == [0, 1, 2, 3, 4]
    assert abs(at[0] - at[2]) == 1
    assert abs(at[1] - at[3]) == 1
    assert in_order_of_likeness(vectors[:2], np.array([9, 4])).tolist() == [1, 0]


def test_the_best_of_each_cluster_comes_highest_first() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.7, 0.2])
    assert best_of_each(np.array([0, 1, 0, 2, 2]), scores).tolist() == [1, 3, 2]


def test_diverse_margin_takes_the_best_of_clusters_that_weigh_the_more_uncertain_more() -> None:
    pool = candidates(400, 4, seed=3)
    strategy = make_strategy("diverse_margin", seed=5)
    scores = strategy.score(pool)
    shortlist = np.argsort(-scores)[:80]
    weights = scores[shortlist] - scores[shortlist].min() + 1e-3
    assert weights.min() > 0
    clusters = clusters_of(pool.vectors[shortlist], 8, 5, weights)
    expected = shortlist[best_of_each(clusters, scores[shortlist])]
    assert strategy.select(pool, scores, 8).tolist()[: len(expected)] == expected.tolist()


def test_with_two_classes_diverse_margin_is_the_margin() -> None:
    pool = candidates(200, 2, seed=3)
    strategy = make_strategy("diverse_margin", seed=5)
    scores = strategy.score(pool)
    assert strategy.select(pool, scores, 9).tolist() == np.argsort(-scores)[:9].tolist()


def test_a_committee_says_its_votes_the_most_frequent_first() -> None:
    pool = candidates(3, 3)
    assert pool.committee is not None
    pool.committee[:, 0] = [[0.1, 0.8, 0.1], [0.1, 0.7, 0.2], [0.6, 0.2, 0.2]]
    reason = make_strategy("committee").reason(pool, np.array([0.25, 0.0, 0.0]), 0)
    assert "disagrees by 0.25: 2 for class 1, 1 for class 0" in str(reason)
    assert "class 1 2 票、class 0 1 票" in in_chinese(reason)


@pytest.mark.parametrize(("others", "rows"), [(0, CHUNK), (1, CHUNK), (160_000, 100)])
def test_a_block_of_distances_has_at_most_sixteen_million_values(others: int, rows: int) -> None:
    assert _rows_at_once(np.empty((others, 0), np.float32)) == rows
    assert rows * others <= BLOCK_VALUES
    assert _rows_at_once(np.empty((2 * BLOCK_VALUES, 0), np.float32)) == 1
