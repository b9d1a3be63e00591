"""Distances by torch are those by numpy and by brute force; who chooses between them."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from active_learning.query_strategies import distances as module
from active_learning.query_strategies.distances import (
    CPU_DISTANCES,
    DeviceDistances,
    Distances,
    distances_on,
)
from active_learning.query_strategies.factory import make_strategy, strategy_names
from active_learning.query_strategies.vectors import RowView
from tests.active_learning.test_strategy_contract import candidates

torch = pytest.importorskip("torch")
BY_TORCH = DeviceDistances(torch, torch.device("cpu"))
BOTH = pytest.mark.parametrize("distances", [CPU_DISTANCES, BY_TORCH], ids=["numpy", "torch"])


@pytest.fixture(autouse=True)
def several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_VALUES", 4_000)
    monkeypatch.setattr(module, "PRODUCT_CHUNK", 150)


def shuffled(count: int, seed: int, width: int = 12) -> Any:
    rng = np.random.default_rng(seed)
    return rng.permutation(rng.normal(size=(count, width)).astype(np.float32))


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_is_that_of_brute_force(distances: Distances, seed: int) -> None:
    matrix, others = shuffled(700, seed), shuffled(60, seed + 10)
    rows = np.random.default_rng(seed).permutation(700)[:500]
    expected = cdist(matrix[rows] * 2, others).min(axis=1)
    for vectors in (matrix[rows] * 2, RowView(matrix, rows, lambda found: found * 2)):
        np.testing.assert_allclose(distances.nearest(vectors, others), expected, rtol=1e-4)
    assert np.isinf(distances.nearest(matrix, others[:0])).all()


@BOTH
@pytest.mark.parametrize("count", [1, 7, 60, 99])
def test_neighbours_are_those_of_brute_force(distances: Distances, count: int) -> None:
    vectors, others = shuffled(400, 1), shuffled(60, 2)
    gaps = cdist(vectors, others)
    order, seen = np.argsort(gaps, axis=1), 0
    for part, rows, squares in distances.neighbours(vectors, others, count):
        assert [set(row) for row in rows.tolist()] == [set(r) for r in order[part, :count].tolist()]
        expected = np.take_along_axis(gaps[part], rows, axis=1)
        np.testing.assert_allclose(np.sqrt(squares), expected, rtol=1e-4)
        seen += len(rows)
    assert seen == 400


@BOTH
def test_products_are_those_with_every_row(distances: Distances) -> None:
    vectors = shuffled(400, 3)
    products = distances.products(RowView(vectors, np.arange(400)[::-1]))
    for place in (5, 17):
        found = np.concatenate([part for _, part in products(vectors[place])])
        np.testing.assert_allclose(found[::-1], vectors @ vectors[place], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", strategy_names())
def test_every_strategy_chooses_the_same(name: str) -> None:
    pool = candidates(500, 3, seed=8)
    found = []
    for distances in (CPU_DISTANCES, BY_TORCH):
        strategy = make_strategy(name, seed=3)
        ours = replace(pool, distances=distances)
        scores = strategy.score(ours)
        found.append((scores, strategy.select(ours, scores, 25).tolist()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-3, atol=1e-5)
    assert found[0][1] == found[1][1]


def test_full_precision_holds_and_ends() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with module.full_precision(torch):
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_torch_is_never_loaded_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; from active_learning.query_strategies.distances import *; "
        "assert distances_on('auto') is CPU_DISTANCES is distances_on('cuda'); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    monkeypatch.delitem(sys.modules, "torch")
    assert distances_on("cuda") is CPU_DISTANCES


def test_what_the_device_holds_is_computed_there(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, others = shuffled(300, 4), shuffled(40, 5)
    expected = CPU_DISTANCES.nearest(vectors, others)

    def never(*_: Any) -> Any:
        raise AssertionError("computed on the CPU")

    for name in ("nearest", "neighbours"):
        monkeypatch.setattr(module._OnCpu, name, never)
    np.testing.assert_allclose(BY_TORCH.nearest(vectors, others), expected, rtol=1e-4)
    assert len(list(BY_TORCH.neighbours(vectors, others, 3))) > 1
    product, asked = DeviceDistances._product, []

    def counted(self: DeviceDistances, *given: Any) -> Any:
        asked.append(given)
        return product(self, *given)

    monkeypatch.setattr(DeviceDistances, "_product", counted)
    parts = list(BY_TORCH.products(vectors)(vectors[0]))
    assert len(asked) == len(parts) == 2


@pytest.mark.parametrize(("free", "is_held"), [(2 * 4 * 300 * 12, False), (9 * 4 * 300 * 3, True)])
def test_half_of_a_gpus_free_memory_is_left_to_others(free: int, is_held: bool) -> None:
    gpu = SimpleNamespace(cuda=SimpleNamespace(mem_get_info=lambda _: (free, 10 * free)))
    ours = DeviceDistances(gpu, SimpleNamespace(type="cuda"))
    assert ours.holds(shuffled(300, 4)) is is_held
    assert BY_TORCH.holds(shuffled(300, 4))
    assert not CPU_DISTANCES.holds(shuffled(300, 4))


class Full:
    """A device whose memory suffices for so many pieces, and for none afterwards."""

    OutOfMemoryError = torch.OutOfMemoryError
    get_float32_matmul_precision = staticmethod(torch.get_float32_matmul_precision)
    set_float32_matmul_precision = staticmethod(torch.set_float32_matmul_precision)

    def __init__(self, pieces: int) -> None:
        self.left = pieces

    def from_numpy(self, rows: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise torch.OutOfMemoryError
        return torch.from_numpy(rows)


@pytest.mark.parametrize("pieces", [0, 1, 2, 4])
def test_what_does_not_fit_is_computed_on_the_cpu(pieces: int) -> None:
    vectors, others = shuffled(300, 4), shuffled(40, 5)

    def ours() -> DeviceDistances:
        return DeviceDistances(Full(pieces), torch.device("cpu"))

    expected = CPU_DISTANCES.nearest(vectors, others)
    np.testing.assert_allclose(ours().nearest(vectors, others), expected, rtol=1e-4)
    by_cpu = CPU_DISTANCES.neighbours(vectors, others, 5)
    for found, known in zip(ours().neighbours(vectors, others, 5), by_cpu, strict=True):
        assert found[0] == known[0]
        assert [set(row) for row in found[1].tolist()] == [set(row) for row in known[1].tolist()]
    products, known_products = ours().products(vectors), CPU_DISTANCES.products(vectors)
    for place in (3, 9, 200):
        ours_found = np.concatenate([part for _, part in products(vectors[place])])
        known_found = np.concatenate([part for _, part in known_products(vectors[place])])
        np.testing.assert_allclose(ours_found, known_found, rtol=1e-4, atol=1e-5)
