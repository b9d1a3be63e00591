"""KNN-Shapley equals the definition of the Shapley value, summed over all subsets."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from active_learning.data_value import knn_shapley as module
from active_learning.data_value.knn_shapley import knn_shapley, knn_shapley_within
from active_learning.exceptions import NoLabels, ShapeMismatch


def utility(
    members: tuple[int, ...],
    vectors: NDArray[np.float32],
    codes: NDArray[np.intp],
    test: NDArray[np.float32],
    label: int,
    neighbours: int,
) -> float:
    nearest = sorted(members, key=lambda i: float(((vectors[i] - test) ** 2).sum()))[:neighbours]
    return sum(codes[i] == label for i in nearest) / neighbours


def brute_force(
    vectors: NDArray[np.float32],
    codes: NDArray[np.intp],
    tests: NDArray[np.float32],
    labels: NDArray[np.intp],
    neighbours: int,
) -> NDArray[np.float64]:
    n = len(codes)
    values = np.zeros(n)
    for test, label in zip(tests, labels, strict=True):
        for record in range(n):
            others = [i for i in range(n) if i != record]
            for size in range(n):
                for members in combinations(others, size):
                    gain = utility((*members, record), vectors, codes, test, label, neighbours)
                    gain -= utility(members, vectors, codes, test, label, neighbours)
                    values[record] += gain / (n * comb(n - 1, size))
    return values / len(labels)


@pytest.mark.parametrize("neighbours", [1, 2, 5, 9])
@pytest.mark.parametrize("seed", range(3))
def test_it_equals_brute_force(seed: int, neighbours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(7, 3)).astype(np.float32)
    codes = rng.integers(0, 3, 7)
    tests, labels = rng.normal(size=(5, 3)).astype(np.float32), rng.integers(0, 3, 5)
    monkeypatch.setattr(module, "CHUNK_CELLS", 14)  # two test records a chunk
    np.testing.assert_allclose(
        knn_shapley(vectors, codes, tests, labels, neighbours=neighbours),
        brute_force(vectors, codes, tests, labels, neighbours),
        atol=1e-9,
    )


def test_within_leaves_every_judge_out_of_its_own_judgement() -> None:
    rng = np.random.default_rng(4)
    vectors, codes = rng.normal(size=(7, 2)).astype(np.float32), rng.integers(0, 2, 7)
    wanted = np.zeros(7)
    for judge in range(7):
        others = [i for i in range(7) if i != judge]
        wanted[others] += brute_force(
            vectors[others], codes[others], vectors[[judge]], codes[[judge]], 3
        )
    np.testing.assert_allclose(
        knn_shapley_within(vectors, codes, neighbours=3), wanted / 6, atol=1e-9
    )


def test_wrong_labels_are_worth_less_and_order_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 600)
    vectors = (np.eye(3)[codes] * 3 + rng.normal(size=(600, 3))).astype(np.float32)
    wrong = rng.random(600) < 0.15
    given = np.where(wrong, (codes + 1) % 3, codes)
    values = knn_shapley_within(vectors, given)
    assert values[wrong].mean() < 0 < values[~wrong].mean()
    order = rng.permutation(600)
    np.testing.assert_allclose(
        knn_shapley_within(vectors[order], given[order]), values[order], atol=1e-6
    )


def test_bad_input_is_named() -> None:
    vectors, codes = np.zeros((2, 2), np.float32), np.zeros(2, np.intp)
    with pytest.raises(NoLabels):
        knn_shapley(vectors[:0], codes[:0], vectors, codes)
    with pytest.raises(NoLabels):
        knn_shapley_within(vectors[:1], codes[:1])
    with pytest.raises(ShapeMismatch):
        knn_shapley(vectors, codes[:1], vectors, codes)
    with pytest.raises(ShapeMismatch):
        knn_shapley_within(np.full((2, 2), np.nan, np.float32), codes)
