"""What every query strategy promises, on shuffled candidates."""

import numpy as np
import pytest

from active_learning.exceptions import NotFitted, UnknownStrategy
from active_learning.query_strategies.base import Candidates
from active_learning.query_strategies.factory import make_strategy, strategy_names


def candidates(n: int, classes: int, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    return Candidates(
        rng.normal(size=(n, 8)).astype(np.float32),
        rng.normal(size=n),
        [f"class {place}" for place in range(classes)],
        rng.dirichlet(np.ones(classes), size=n),
    )


@pytest.mark.parametrize("name", strategy_names())
@pytest.mark.parametrize(("n", "count"), [(1, 1), (5, 9), (60, 7), (400, 50)])
@pytest.mark.parametrize("classes", [2, 4])
def test_it_chooses_that_many_different_rows(name: str, n: int, count: int, classes: int) -> None:
    pool = candidates(n, classes)
    strategy = make_strategy(name, seed=1)
    scores = strategy.score(pool)
    rows = strategy.select(pool, scores, count)
    assert scores.shape == (n,)
    assert np.isfinite(scores).all()
    assert len(rows) == len(set(rows.tolist())) == min(n, count)
    assert set(rows.tolist()) <= set(range(n))
    for row in rows[:3].tolist():
        reason = strategy.reason(pool, scores, row)
        assert reason.en
        assert reason.zh


@pytest.mark.parametrize("name", strategy_names())
def test_equal_seeds_choose_alike(name: str) -> None:
    def rows() -> list[int]:
        strategy = make_strategy(name, seed=11)
        pool = candidates(300, 3)
        return strategy.select(pool, strategy.score(pool), 20).tolist()

    assert rows() == rows()


@pytest.mark.parametrize("name", strategy_names())
def test_identical_records_are_no_obstacle(name: str) -> None:
    one = candidates(1, 3)
    pool = Candidates(
        np.repeat(one.vectors, 50, axis=0),
        np.repeat(one.suspicion, 50),
        one.classes,
        np.repeat(one.probabilities, 50, axis=0) if one.probabilities is not None else None,
    )
    strategy = make_strategy(name, seed=0)
    assert len(set(strategy.select(pool, strategy.score(pool), 12).tolist())) == 12


@pytest.mark.parametrize("name", ["margin", "entropy", "least_confidence", "diverse_margin"])
def test_uncertainty_needs_probabilities(name: str) -> None:
    pool = candidates(10, 3)
    strategy = make_strategy(name)
    assert strategy.needs_probabilities
    with pytest.raises(NotFitted):
        strategy.score(Candidates(pool.vectors, pool.suspicion, pool.classes))


@pytest.mark.parametrize("name", ["margin", "entropy", "least_confidence"])
def test_ties_are_broken_at_random(name: str) -> None:
    pool = Candidates(
        np.zeros((40, 2), np.float32), np.zeros(40), ["a", "b"], np.full((40, 2), 0.5)
    )
    picks = {
        tuple(sorted(s.select(pool, s.score(pool), 5).tolist()))
        for s in (make_strategy(name, seed=seed) for seed in range(10))
    }
    assert len(picks) > 5


def test_diverse_margin_spreads_over_groups() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, 6)) * 10
    vectors = np.repeat(centres, 40, axis=0) + rng.normal(size=(200, 6)) * 0.01
    shuffle = rng.permutation(200)
    pool = Candidates(
        vectors[shuffle].astype(np.float32),
        np.zeros(200),
        ["a", "b", "c"],
        np.tile([0.4, 0.35, 0.25], (200, 1)),
    )
    strategy = make_strategy("diverse_margin", seed=3)
    groups = np.repeat(np.arange(5), 40)[shuffle]
    rows = strategy.select(pool, strategy.score(pool), 20)
    assert set(groups[rows].tolist()) == {0, 1, 2, 3, 4}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownStrategy, match="diverse_margin"):
        make_strategy("clever")
