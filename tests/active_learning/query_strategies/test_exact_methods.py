"""Exact methods against brute force or the published implementation, on shuffled records."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from modAL.batch import ranked_batch
from modAL.models import ActiveLearner as ModalLearner
from scipy.spatial.distance import cdist
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression

from active_learning.query_strategies import typiclust, weighted_kmeans
from active_learning.query_strategies.badge import Badge
from active_learning.query_strategies.base import Candidates, highest, margins, resolution
from active_learning.query_strategies.default import CHANCE_REASON, DefaultChoice, shares, trust
from active_learning.query_strategies.factory import make_strategy
from active_learning.query_strategies.typiclust import typicality
from tests.active_learning.test_strategy_contract import candidates
from tests.fixtures.chinese import in_chinese


@pytest.mark.parametrize("seed", range(5))
def test_ranked_batch_picks_what_modal_picks_in_its_order(seed: int) -> None:
    pool = candidates(400, 3, seed)
    known = pool.labelled_vectors
    assert known is not None
    assert pool.probabilities is not None
    labels = np.random.default_rng(seed).integers(0, 3, len(known))
    learner: Any = ModalLearner(LogisticRegression(), X_training=known, y_training=labels)
    uncertainty = 1 - pool.probabilities.max(axis=1)
    expected, _ = ranked_batch(learner, pool.vectors, uncertainty, 40, "euclidean", None)
    strategy = make_strategy("ranked_batch")
    assert strategy.select(pool, strategy.score(pool), 40).tolist() == expected.tolist()


@pytest.mark.parametrize("size", [60, 5_000])
def test_k_center_is_the_greedy_core_set(size: int) -> None:
    pool = candidates(size, 2, seed=size)
    assert pool.labelled_vectors is not None
    nearest = cdist(pool.vectors[:], pool.labelled_vectors).min(axis=1)
    expected = []
    for _ in range(25):
        expected.append(int(nearest.argmax()))
        gaps = cdist(pool.vectors[:], pool.vectors[expected[-1] : expected[-1] + 1])[:, 0]
        nearest = np.minimum(nearest, gaps)
    strategy = make_strategy("k_center")
    assert strategy.select(pool, strategy.score(pool), 25).tolist() == expected


@pytest.mark.parametrize("is_first", [False, True])
def test_badge_draws_as_k_means_plus_plus_on_gradients_does(is_first: bool) -> None:
    pool = candidates(12, 3, seed=4)
    if is_first:  # the longest gradient is that of the first row
        order = np.argsort(-Badge(seed=0).score(pool))
        assert pool.probabilities is not None
        pool = replace(pool, vectors=pool.vectors[order], probabilities=pool.probabilities[order])
    assert pool.probabilities is not None
    residuals = pool.probabilities - np.eye(3)[pool.probabilities.argmax(axis=1)]
    gradients = (residuals[:, :, None] * pool.vectors[:][:, None, :]).reshape(12, -1)
    scores = Badge(seed=0).score(pool)
    assert scores == pytest.approx(np.linalg.norm(gradients, axis=1), rel=1e-5)
    first = int(scores.argmax())
    assert (first == 0) is is_first
    squares = ((gradients - gradients[first]) ** 2).sum(axis=1)
    drawn: Counter[int] = Counter()
    third: Counter[int] = Counter()
    for seed in range(4_000):
        picks = Badge(seed=seed).select(pool, scores, 3).tolist()
        assert picks[0] == first
        drawn[picks[1]] += 1
        third[picks[2]] += 1
    shares_drawn = np.array([drawn[row] for row in range(12)]) / 4_000
    assert shares_drawn == pytest.approx(squares / squares.sum(), abs=0.03)
    expected = np.zeros(12)
    for row in range(12):
        left = np.minimum(squares, ((gradients - gradients[row]) ** 2).sum(axis=1))
        if row != first:
            expected += squares[row] / squares.sum() * left / left.sum()
    assert np.array([third[row] for row in range(12)]) / 4_000 == pytest.approx(expected, abs=0.03)


def test_badge_draws_copies_of_what_is_chosen_with_equal_chances() -> None:
    pool = candidates(1, 3, seed=1)
    assert pool.probabilities is not None
    pool = replace(
        pool,
        vectors=np.repeat(pool.vectors[:].round(1), 5, axis=0),
        probabilities=np.repeat([[0.5, 0.25, 0.25]], 5, axis=0),
    )
    drawn: Counter[int] = Counter()
    for seed in range(400):
        strategy = Badge(seed=seed)
        picks = strategy.select(pool, np.full(5, 0.0), 3).tolist()
        assert len(set(picks)) == 3
        drawn.update(picks[1:])
    assert [drawn[row] / 800 for row in range(1, 5)] == pytest.approx([0.25] * 4, abs=0.07)
    assert strategy.select(pool, np.zeros(5), 0).tolist() == []


def test_contrast_is_the_mean_divergence_from_the_nearest_labelled() -> None:
    pool = candidates(70, 4, seed=2)
    assert pool.labelled_vectors is not None
    assert pool.labelled_probabilities is not None
    assert pool.probabilities is not None
    near = np.argsort(cdist(pool.vectors[:], pool.labelled_vectors), axis=1)[:, :10]
    expected = [
        np.mean([entropy(pool.labelled_probabilities[k], own) for k in row])
        for row, own in zip(near, pool.probabilities, strict=True)
    ]
    assert make_strategy("cal").score(pool) == pytest.approx(np.array(expected), rel=1e-4)


def test_information_is_entropy_of_the_mean_less_mean_entropy() -> None:
    pool = candidates(50, 3, seed=6)
    assert pool.dropout is not None
    expected = entropy(pool.dropout.mean(axis=0), axis=1) - entropy(pool.dropout, axis=2).mean(0)
    assert make_strategy("bald").score(pool) == pytest.approx(expected, abs=1e-5)


def test_disagreement_is_the_largest_divergence_from_the_consensus() -> None:
    pool = candidates(50, 3, seed=7)
    assert pool.committee is not None
    consensus = pool.committee.mean(axis=0)
    expected = np.max([entropy(member, consensus, axis=1) for member in pool.committee], axis=0)
    assert make_strategy("committee").score(pool) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_weighted_k_means_takes_the_nearest_to_each_centre_the_heaviest_group_first(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat([0, 1, 2], [40, 20, 30]))
    vectors = (20 * np.eye(3, 6)[groups] + rng.normal(size=(90, 6))).astype(np.float32)
    probabilities = rng.dirichlet(np.ones(3), 90)
    probabilities[groups == 1] = [0.34, 0.33, 0.33]  # few, and the least sure
    probabilities[groups == 2] = [0.9, 0.08, 0.02]
    pool = Candidates(vectors, np.zeros(90), ["a", "b", "c"], probabilities)
    strategy = make_strategy("weighted_kmeans", seed=seed)
    scores = strategy.score(pool)
    assert scores == pytest.approx(1 - margins(probabilities))
    weights, expected = scores + 1e-6, []
    for group in sorted(range(3), key=lambda k: -weights[groups == k].sum()):
        rows = np.flatnonzero(groups == group)
        centre = np.average(vectors[rows], axis=0, weights=weights[rows])
        expected.append(int(rows[np.linalg.norm(vectors[rows] - centre, axis=1).argmin()]))
    assert strategy.select(pool, scores, 3).tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_typiclust_takes_the_most_typical_of_the_least_covered_and_largest_groups(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat([0, 1, 2, 3], [25, 12, 18, 5]))
    centres = 50 * np.eye(4, 6)
    vectors = (centres[groups] + rng.normal(size=(60, 6))).astype(np.float32)
    known = centres[[1, 1, 0]].astype(np.float32)
    pool = replace(candidates(60, 2), vectors=vectors, labelled_vectors=known[:0])
    strategy = make_strategy("typiclust", seed=seed)
    scores = strategy.score(pool)
    assert scores == pytest.approx(typicality(vectors, 20))

    def groups_of(picks: Any) -> list[int]:
        for group in range(4):
            own = [row for row in picks.tolist() if groups[row] == group]
            ranked = sorted(np.flatnonzero(groups == group).tolist(), key=lambda r: -scores[r])
            assert own == ranked[: len(own)]
        return [int(group) for group in groups[picks]]

    assert groups_of(strategy.select(pool, scores, 4)) == [0, 2, 1, 3]
    assert strategy.select(pool, scores, 0).tolist() == []
    covered = replace(pool, labelled_vectors=known)
    first = groups_of(strategy.select(covered, scores, 1))
    assert first == [2], "the largest group of those without a label"


def test_typicality_is_one_over_the_mean_distance_to_neighbours() -> None:
    vectors = candidates(90, 2).vectors[:]
    gaps = np.sort(cdist(vectors, vectors), axis=1)[:, 1:21].mean(axis=1)
    assert typicality(vectors, 20) == pytest.approx(1 / (gaps + 1e-3), rel=1e-3)


def test_highest_is_the_sorted_head() -> None:
    scores = np.random.default_rng(0).normal(size=1_000)
    rows = highest(scores, 30, np.random.default_rng(1))
    assert rows.tolist() == np.argsort(-scores)[:30].tolist()


def test_margins_are_of_the_two_largest() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 200)
    ordered = np.sort(probabilities, axis=1)
    assert margins(probabilities) == pytest.approx(ordered[:, -1] - ordered[:, -2])
    assert margins(np.array([[0.5, 0.5, 0.0]])) == pytest.approx([0.0])


def test_rare_classes_come_first() -> None:
    pool = replace(candidates(200, 2, seed=1), class_counts=np.array([90.0, 1.0]))
    assert pool.probabilities is not None
    strategy = make_strategy("rare_classes")
    rows = strategy.select(pool, strategy.score(pool), 10)
    assert set(rows.tolist()) == set(np.argsort(-pool.probabilities[:, 1])[:10].tolist())
    assert str(strategy.reason(pool, strategy.score(pool), int(rows[0]))).endswith("only 1 label")


def test_the_default_looks_for_unseen_and_rare_classes() -> None:
    assert shares(None, 20) == (0, 0)
    assert shares(np.array([8.0, 8.0, 8.0, 8.0]), 20) == (0, 0)
    assert shares(np.array([8.0, 8.0, 0.0, 0.0]), 20)[1] == 10
    assert shares(np.array([500.0, 300.0, 0.0]), 20)[1] == 0, "a class that is not there"
    assert shares(np.array([500.0, 2.0]), 20) == (10, 0)
    grown = DefaultChoice(seed=5)
    margin = make_strategy("diverse_margin", seed=5)
    pool = skilled(0.2)
    expected = margin.select(pool, margin.score(pool), 20).tolist()
    assert grown.select(pool, grown.score(pool), 20).tolist() == expected


def test_resolution_is_the_share_of_uncertainty_that_is_removed() -> None:
    rng = np.random.default_rng(2)
    two = rng.beta(0.7, 2.0, 500)
    expected = two.var() / (two.mean() * (1 - two.mean()))
    assert resolution(np.column_stack([two, 1 - two])) == pytest.approx(expected)
    many = rng.dirichlet(np.full(4, 0.4), 20_000)
    drawn = (rng.random((20_000, 1)) > many.cumsum(axis=1)).sum(axis=1)
    truth = np.eye(4)[np.minimum(drawn, 3)]
    told = 1 - ((truth - many) ** 2).sum() / ((truth - truth.mean(axis=0)) ** 2).sum()
    assert resolution(many) == pytest.approx(told, abs=0.02)
    assert resolution(np.full((9, 3), 1 / 3)) == pytest.approx(0.0, abs=1e-12)
    assert resolution(np.eye(3)) == pytest.approx(1.0)


def test_the_default_trusts_a_classifier_that_tells_records_apart() -> None:
    rng = np.random.default_rng(4)

    def pair(share: float, spread: float) -> float:
        p = np.clip(share + spread * rng.standard_normal(4_000), 0.0, 1.0)
        return trust(np.column_stack([1 - p, p]))

    assert pair(0.5, 0.02) == 0.0
    assert 0.2 < pair(0.5, 0.22) < 0.8
    assert pair(0.5, 0.4) == 1.0
    assert pair(0.01, 0.0) == 1.0, "a scarce class is looked for whatever the classifier can do"
    assert trust(np.tile([0.5, 0.5, 0.0], (9, 1))) == 0.0, "a class without labels has no say"
    assert trust(np.tile([1.0, 0.0], (9, 1))) == 1.0


@pytest.mark.parametrize(("sharpness", "fewest", "most"), [(200.0, 20, 20), (1.2, 5, 15)])
def test_the_default_draws_at_random_where_doubt_says_little(
    sharpness: float, fewest: int, most: int
) -> None:
    pool = skilled(sharpness)
    drawn: Counter[int] = Counter()
    for seed in range(30):
        strategy = DefaultChoice(seed=seed)
        scores = strategy.score(pool)
        rows = strategy.select(pool, scores, 20).tolist()
        assert len(set(rows)) == 20
        chance = [row for row in rows if strategy.reason(pool, scores, row) == CHANCE_REASON]
        assert fewest <= len(chance) <= most
        assert rows[len(rows) - len(chance) :] == chance
        drawn.update(chance)
    assert len(drawn) > 0.7 * 300 * (1 - (1 - 20 / 300) ** 30) * fewest / 20
    assert DefaultChoice(seed=1).select(pool, scores, 300).size == 300


def skilled(concentration: float) -> Candidates:
    """A pool whose three classes are told apart the better the smaller the concentration."""
    probabilities = np.random.default_rng(1).dirichlet(np.full(3, concentration), 300)
    return replace(
        candidates(300, 3, seed=3), class_counts=np.full(3, 100.0), probabilities=probabilities
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("entropy", "entropy 1.50; most probably class 1 (0.60)"),
        ("least_confidence", "confidence only 0.60 in class 1"),
        ("margin", "margin 0.35 between class 1 and class 0"),
    ],
)
def test_each_measure_of_uncertainty_says_what_it_measured(name: str, words: str) -> None:
    pool = replace(candidates(1, 3), probabilities=np.array([[0.25, 0.6, 0.15]]))
    assert str(make_strategy(name).reason(pool, np.array([1.5]), 0)) == words


def test_margin_with_diversity_says_so_where_there_are_several_borders() -> None:
    for classes in (2, 3):
        pool = candidates(30, classes)
        strategy = make_strategy("diverse_margin")
        reason = strategy.reason(pool, strategy.score(pool), 4)
        assert ("stands for a group" in str(reason)) is (classes > 2)
        assert ("代表一组" in in_chinese(reason)) is (classes > 2)


@pytest.mark.parametrize("name", ["typiclust", "weighted_kmeans"])
def test_of_a_large_pool_a_sample_is_clustered_and_the_number_is_given_all_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typiclust, "SAMPLE", 20)
    monkeypatch.setattr(weighted_kmeans, "SAMPLE", 20)
    pool = candidates(120, 3)
    looked_at = set()
    for seed in range(15):
        strategy = make_strategy(name, seed=seed)
        scores = strategy.score(pool)
        for count in (5, 45, 120):
            rows = strategy.select(pool, scores, count).tolist()
            assert len(set(rows)) == len(rows) == count
        if name == "typiclust":
            sample = set(np.flatnonzero(scores).tolist())
            assert len(sample) == 20
            assert set(strategy.select(pool, scores, 20).tolist()) == sample
            looked_at |= sample
    assert name != "typiclust" or len(looked_at) > 100
