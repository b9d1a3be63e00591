"""The greedy choice is the plain one, however few rows are brought up to date at a time."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from active_learning.query_strategies import lazy_greedy
from active_learning.query_strategies.distances import Distances
from active_learning.query_strategies.lazy_greedy import farthest_first
from active_learning.types import Positions, Scores


class Kept(Distances):
    """As where a device holds all rows: the plain rule is followed."""

    def holds(self, vectors: Any) -> bool:
        return True


@pytest.fixture(params=[1, 3, 2_048])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_greedy, "BLOCK", request.param)


def plain(
    vectors: np.ndarray, known: np.ndarray, worth: Any, count: int, first: int | None
) -> list[int]:
    """Every worth anew before each pick; the lowest row on ties."""
    chosen: list[int] = []
    for _ in range(count):
        if first is not None and not chosen:
            chosen.append(first)
            continue
        there = np.concatenate([known, vectors[chosen]])
        gaps = cdist(vectors, there).min(axis=1, initial=np.inf)
        worths = worth(gaps, slice(None), len(chosen))
        left = [row for row in range(len(vectors)) if row not in chosen]
        chosen.append(max(left, key=lambda row: (worths[row], -row)))
    return chosen


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("computed", [Distances(), Kept()], ids=["lazily", "greedily"])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("first", [None, 11])
def test_each_pick_is_the_best_given_those_before(
    computed: Distances, seed: int, first: int | None
) -> None:
    """On a grid of whole numbers: many distances are equal, and exact."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(0, 4, (40, 3)).astype(np.float32)
    known = rng.integers(0, 4, (seed % 3, 3)).astype(np.float32)
    bonus = rng.integers(0, 3, 40) * (seed % 2)

    def worth(distances: Scores, rows: Positions | slice, picks: int) -> Scores:
        share = 1.0 / (1 + picks)
        return np.minimum(distances, 50.0) * (1 - share / 2) + share * bonus[rows]

    before = cdist(vectors, known).min(axis=1, initial=np.inf)
    kept = before.copy()
    for count in (0, 1, 2, 17, 40):
        found = farthest_first(vectors, before, worth, count, first, computed)
        expected = plain(vectors, known, worth, count, first)
        assert found.tolist() == expected
        assert found.dtype == np.intp
    assert before.tolist() == kept.tolist(), "the caller's distances stay as they are"


@pytest.mark.usefixtures("block")
def test_copies_of_one_record_are_chosen_from_the_first_on() -> None:
    vectors = np.ones((9, 2), np.float32)
    for computed in (Distances(), Kept()):
        found = farthest_first(
            vectors, np.full(9, np.inf), lambda d, _rows, _n: d, 5, None, computed
        )
        assert found.tolist() == [0, 1, 2, 3, 4]
