"""What every query strategy promises, on shuffled candidates."""

import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from active_learning.exceptions import NoLabels, NotFitted, UnknownStrategy
from active_learning.query_strategies.base import Candidates
from active_learning.query_strategies.factory import (
    make_strategy,
    strategy_names,
    strategy_purpose,
)
from active_learning.query_strategies.vectors import RowView
from tests.fixtures.chinese import in_chinese


def candidates(n: int, classes: int, seed: int = 0, width: int = 8, known: int = 30) -> Candidates:
    """Shuffled records with everything that any strategy needs."""
    rng = np.random.default_rng(seed)
    chances = np.ones(classes)
    return Candidates(
        rng.normal(size=(n, width)).astype(np.float32),
        rng.normal(size=n),
        [f"class {place}" for place in range(classes)],
        rng.dirichlet(chances, size=n),
        rng.normal(size=(known, width)).astype(np.float32),
        rng.dirichlet(chances, size=known),
        rng.integers(0, 30, classes).astype(np.float64),
        rng.dirichlet(chances, size=(3, n)).astype(np.float32),
        rng.dirichlet(chances, size=(4, n)).astype(np.float32),
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
        assert str(reason)
        assert in_chinese(reason)


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
    assert one.probabilities is not None
    assert one.committee is not None
    assert one.dropout is not None
    pool = replace(
        one,
        vectors=np.repeat(one.vectors[:], 50, axis=0),
        suspicion=np.repeat(one.suspicion, 50),
        probabilities=np.repeat(one.probabilities, 50, axis=0),
        committee=np.repeat(one.committee, 50, axis=1),
        dropout=np.repeat(one.dropout, 50, axis=1),
    )
    strategy = make_strategy(name, seed=0)
    assert len(set(strategy.select(pool, strategy.score(pool), 12).tolist())) == 12


@pytest.mark.parametrize("name", strategy_names())
def test_what_a_strategy_needs_it_asks_for_and_nothing_else(name: str) -> None:
    full = candidates(40, 3)
    bare = Candidates(full.vectors, full.suspicion, full.classes)
    strategy = make_strategy(name)
    if strategy.needs:
        with pytest.raises((NotFitted, NoLabels)):
            strategy.score(bare)
    else:
        assert len(strategy.select(bare, strategy.score(bare), 7)) == 7
    given = replace(
        full,
        committee=full.committee if "committee" in strategy.needs else None,
        dropout=full.dropout if "dropout" in strategy.needs else None,
    )
    assert len(strategy.select(given, strategy.score(given), 7)) == 7


@pytest.mark.parametrize("name", strategy_names())
def test_a_hundred_thousand_records_stay_small_and_quick(name: str) -> None:
    pool = candidates(100_000, 4, width=32, known=200)
    assert isinstance(pool.vectors, np.ndarray)
    strategy = make_strategy(name, seed=1)
    tracemalloc.start()
    begun = time.process_time()
    rows = strategy.select(pool, strategy.score(pool), 20)
    seconds, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(set(rows.tolist())) == 20
    assert seconds < 60
    assert peak < 500e6, "an n x n matrix of float32 would take 40 GB"


@pytest.mark.parametrize("name", strategy_names())
def test_a_view_of_rows_is_chosen_from_like_the_rows(name: str) -> None:
    pool = candidates(300, 3)
    matrix = np.zeros((900, 9), np.float32)
    rows = np.sort(np.random.default_rng(0).permutation(900)[:300])
    matrix[rows, :8] = pool.vectors[:]
    view = replace(pool, vectors=RowView(matrix, rows, lambda found: found[:, :8]))

    def picks(given: Candidates) -> list[int]:
        strategy = make_strategy(name, seed=2)
        return strategy.select(given, strategy.score(given), 15).tolist()

    assert picks(view) == picks(pool)


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


def test_every_strategy_has_a_line_of_its_own_that_says_what_it_chooses() -> None:
    lines = [strategy_purpose(name) for name in strategy_names()]
    assert len(set(lines)) == len(lines)
    for line in lines:
        assert 20 < len(line) <= 85
        assert "\n" not in line
