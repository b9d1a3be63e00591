"""Of few classes, each record has the same chance and each kind its share; of many, prototypes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from active_learning.query_strategies import cold_start as module
from active_learning.query_strategies.base import Candidates
from active_learning.query_strategies.cold_start import ColdStart
from active_learning.types import Positions, Scores
from tests.fixtures.chinese import in_chinese

CENTRES = np.eye(3, 8, dtype=np.float32) * 20


def pool_of(kinds: Positions, suspicion: Scores, seed: int) -> Candidates:
    """Records in well separated groups."""
    noise = np.random.default_rng(seed).normal(size=(len(kinds), 8)).astype(np.float32)
    return Candidates(CENTRES[kinds] + noise, suspicion, ["one"])


def chosen(pool: Candidates, count: int, seed: int) -> Positions:
    strategy = ColdStart(seed=seed)
    return strategy.select(pool, strategy.score(pool), count)


def test_every_record_has_the_same_chance() -> None:
    rng = np.random.default_rng(3)
    n, count, repeats = 24, 8, 200
    pool = pool_of(rng.integers(0, 3, n), rng.exponential(size=n), 4)
    drawn = np.zeros(n)
    for seed in range(repeats):
        drawn[chosen(pool, count, seed)] += 1
    expected = count * repeats / n
    # Counts of a sample without replacement vary less than the statistic's distribution says.
    assert ((drawn - expected) ** 2 / expected).sum() < chi2.ppf(0.999, n - 1)


@pytest.mark.parametrize("seed", range(10))
def test_every_kind_has_its_share(seed: int) -> None:
    kinds = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], [120, 60, 20]))
    found = chosen(pool_of(kinds, np.zeros(200), seed), 20, seed)
    assert np.abs(np.bincount(kinds[found], minlength=3) - [12, 6, 2]).max() <= 1


@pytest.mark.parametrize("seed", range(10))
def test_every_quarter_of_suspicion_has_its_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    suspicion = rng.permutation(200).astype(float)
    found = chosen(pool_of(rng.integers(0, 3, 200), suspicion, seed), 20, seed)
    assert np.abs(np.bincount((suspicion[found] // 50).astype(int)) - 5).max() <= 1


def test_equal_records_are_drawn_like_others() -> None:
    pool = Candidates(np.zeros((50, 4), dtype=np.float32), np.zeros(50), ["one"])
    assert len(set(chosen(pool, 10, 1).tolist())) == 10
    assert len({tuple(sorted(chosen(pool, 10, seed).tolist())) for seed in range(20)}) > 15


@pytest.mark.parametrize("seed", range(5))
def test_with_few_labels_a_class_most_are_the_densest_of_their_clusters(seed: int) -> None:
    kinds = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], 40))
    pool = replace(pool_of(kinds, np.zeros(120), seed), classes=["a", "b", "c"])
    strategy = ColdStart(seed=seed)
    scores = strategy.score(pool)
    found = strategy.select(pool, scores, 4)
    typical = [
        row for row in found.tolist() if "typical" in str(strategy.reason(pool, scores, row))
    ]
    assert sorted(kinds[typical].tolist()) == [0, 1, 2]
    for row in typical:
        assert scores[row] == scores[kinds == kinds[row]].max()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 119, 120, 121])
@pytest.mark.parametrize("classes", [1, 2, 30])
def test_the_number_asked_for(count: int, classes: int) -> None:
    rng = np.random.default_rng(count)
    pool = pool_of(rng.integers(0, 3, 120), rng.exponential(size=120), 1)
    found = chosen(replace(pool, classes=[str(n) for n in range(classes)]), count, 2)
    assert len(set(found.tolist())) == len(found) == min(count, 120)


@pytest.mark.parametrize("count", [6, 25, 39, 40])
@pytest.mark.parametrize("seed", range(6))
def test_the_sample_is_every_kth_record_of_an_order_in_which_each_comes_once(
    count: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pool = pool_of(rng.integers(0, 3, 40), rng.exponential(size=40), seed)
    strategy = ColdStart(seed=seed)
    rows = rng.permutation(40)
    whole = strategy._systematic(pool, rows, 40, np.random.default_rng(seed))
    assert sorted(whole.tolist()) == list(range(40))
    found = strategy._systematic(pool, rows, count, np.random.default_rng(seed))
    assert len(set(found.tolist())) == count
    assert strategy._systematic(pool, rows, 0, rng).tolist() == []


def test_of_a_large_pool_a_sample_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 30)
    rng = np.random.default_rng(1)
    pool = pool_of(rng.integers(0, 3, 200), rng.exponential(size=200), 1)
    looked_at = set()
    for seed in range(20):
        strategy = ColdStart(seed=seed)
        scores = strategy.score(pool)
        sample = set(np.flatnonzero(scores).tolist())
        assert len(sample) == 30
        assert set(strategy.select(pool, scores, 12).tolist()) <= sample
        more = strategy.select(pool, scores, 50).tolist()
        assert sample <= set(more)
        assert len(set(more)) == 50
        looked_at |= sample
    assert len(looked_at) > 180


@pytest.mark.parametrize("classes", [1, 3, 40])
@pytest.mark.parametrize("count", [1, 7, 20])
def test_seven_of_ten_are_typical_where_labels_a_class_are_few(classes: int, count: int) -> None:
    rng = np.random.default_rng(2)
    pool = replace(
        pool_of(rng.integers(0, 3, 150), rng.permutation(150).astype(float), 1),
        classes=[str(n) for n in range(classes)],
    )
    strategy = ColdStart(seed=4)
    scores = strategy.score(pool)
    found = strategy.select(pool, scores, count)
    typical = [row for row in found if "typical" in str(strategy.reason(pool, scores, row))]
    assert len(typical) == (round(0.7 * count) if count < 6 * classes else 0)
    quarters = np.bincount((pool.suspicion[typical] * 4 // 150).astype(int), minlength=4)
    if len(typical) >= 4:
        assert np.ptp(quarters) <= 1
        assert quarters.tolist() == sorted(quarters), "what is left over goes to the unusual"
    for row in found.tolist():
        is_odd = pool.suspicion[row] > np.quantile(pool.suspicion, 0.75)
        reason = strategy.reason(pool, scores, row)
        assert str(reason).endswith("with unusual values") is bool(is_odd)
        assert ("异常" in in_chinese(reason)) is bool(is_odd)
