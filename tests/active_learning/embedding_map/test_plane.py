"""Embeddings in few dimensions and in a plane."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from active_learning.embedding_map import plane as plane_module
from active_learning.embedding_map.plane import plane
from active_learning.embedding_map.reduction import DIMENSIONS, Reduction
from active_learning.embedding_map.sampling import stratified_sample


def clusters(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 80) vectors of four groups, and the group of each."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(4, 80)) * 3
    group = rng.integers(4, size=count)
    return (centres[group] + rng.normal(size=(count, 80))).astype(np.float32), group


def test_the_components_are_those_of_a_full_decomposition() -> None:
    vectors, _ = clusters(500)
    found = Reduction.fit(vectors, seed=3)
    true = PCA(DIMENSIONS, svd_solver="full").fit(vectors)
    assert found.dimensions == DIMENSIONS
    aligned = np.abs((found.components[:3] * true.components_[:3]).sum(axis=1))
    np.testing.assert_allclose(aligned, 1.0, atol=1e-3)
    np.testing.assert_array_equal(found.components, Reduction.fit(vectors, seed=3).components)


def test_neighbours_stay_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane_module, "LANDMARKS", 200)
    vectors, group = clusters(400)
    reduced = Reduction.fit(vectors, 1).transform(vectors)
    places, method = plane(reduced, 1)
    assert method == "tsne"
    assert np.abs(places).max() == pytest.approx(1.0)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (group[distances.argmin(axis=1)] == group).mean() > 0.97
    np.testing.assert_array_equal(plane(reduced, 1)[0], places)


@pytest.mark.parametrize("vectors", [np.ones((100, 8)), np.ones((1, 8)), np.eye(5)])
def test_few_and_equal_ones_are_their_components(vectors: np.ndarray) -> None:
    held = vectors.astype(np.float32)
    places, method = plane(Reduction.fit(held, 0).transform(held), 0)
    assert method == "pca"
    assert places.shape == (len(vectors), 2)
    assert np.isfinite(places).all()
    assert np.abs(places).max() <= 1.0 + 1e-6


def test_a_sample_has_of_each_stratum_its_share_and_some_of_a_rare_one() -> None:
    strata = np.repeat([0, 1, 2], [9_000, 990, 10])
    chosen = stratified_sample(strata, 1_000, seed=2)
    counts = np.bincount(strata[chosen])
    assert counts[2] == 10
    assert counts[1] >= 300
    assert counts.sum() <= 1_000
    assert counts.sum() > 990
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, stratified_sample(strata, 1_000, seed=2))
    assert stratified_sample(strata, 10_000, seed=2).tolist() == list(range(10_000))
