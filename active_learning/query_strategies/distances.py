"""Distances between many vectors, chunk by chunk: on the CPU, or on a GPU where torch has one.

A GPU is used where this process has loaded torch already (an encoder does, and modAL); torch is
never imported for it. There, rows go to the GPU chunk by chunk, products are in full float32
(no TF32), and a chunk for which its memory does not suffice is computed on the CPU.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.query_strategies.vectors import CHUNK, Vectors, chunks
from active_learning.types import Positions

BLOCK_VALUES = 16_000_000
"""Distances held at a time: 64 MB of float32. Chosen: bounds memory."""
PRODUCT_CHUNK = 65_536
"""Rows of a pass over the pool with one vector. Chosen: bounds memory."""
RESERVE = 0.5
"""Share of a GPU's free memory that a pool kept there leaves to others. Chosen."""

Rows: TypeAlias = NDArray[np.float32]
Products: TypeAlias = Callable[[Rows], Iterator[tuple[slice, Rows]]]
"""From a vector to the inner products with every row, chunk by chunk."""


class Distances:
    """Computed by numpy.

    Results of a subclass are the same up to rounding in float32.
    """

    def nearest(self, vectors: Vectors, others: Rows) -> NDArray[np.float64]:
        """(n,) Euclidean distance to the nearest of ``others``; infinite where there is none."""
        out = np.full(len(vectors), np.inf)
        if len(others):
            against = self._against(others)
            for part in chunks(len(vectors), _rows_at_once(others)):
                out[part] = np.sqrt(against.nearest(vectors[part]))
        return out

    def neighbours(
        self, vectors: Vectors, others: Rows, count: int
    ) -> Iterator[tuple[slice, Positions, Rows]]:
        """The nearest of ``others``, chunk by chunk of the n vectors.

        (their place, (m, count) rows of ``others`` in no order, (m, count) squared distances).
        """
        against, count = self._against(others), min(count, len(others))
        for part in chunks(len(vectors), _rows_at_once(others)):
            yield part, *against.neighbours(vectors[part], count)

    def products(self, vectors: Vectors) -> Products:
        """Inner products of these vectors (n, d) with one (d,) after the other."""

        def with_vector(vector: Rows) -> Iterator[tuple[slice, Rows]]:
            for part in chunks(len(vectors), PRODUCT_CHUNK):
                yield part, vectors[part] @ vector

        return with_vector

    def holds(self, vectors: Vectors) -> bool:  # noqa: ARG002
        """Whether a pass over all these rows (n, d) costs next to nothing."""
        return False

    def _against(self, others: Rows) -> "_Against":
        return _OnCpu(others)


class DeviceDistances(Distances):
    """Computed by torch on a device; by numpy what does not fit into its memory.

    Args:
        torch: the module.
        device: of torch.
    """

    def __init__(self, torch: Any, device: Any) -> None:
        self._torch, self._device = torch, device

    def products(self, vectors: Vectors) -> Products:
        """The same; the vectors stay on the device if it holds them, else all is by numpy.

        Sending them again for each product would take longer than the product on the CPU.
        """
        by_numpy = super().products(vectors)
        try:
            kept = self._chunks_on_device(vectors)
        except self._torch.OutOfMemoryError:
            return by_numpy

        def with_vector(vector: Rows) -> Iterator[tuple[slice, Rows]]:
            for part, rows in kept:
                found = self._product(rows, vector)
                yield part, vectors[part] @ vector if found is None else found

        return with_vector if kept else by_numpy

    def _product(self, rows: Any, vector: Rows) -> Rows | None:
        """None where there is no room for it."""
        with suppress(self._torch.OutOfMemoryError), full_precision(self._torch):
            found = rows @ _send(self._torch, vector, self._device)
            return np.asarray(found.cpu().numpy())
        return None

    def holds(self, vectors: Vectors) -> bool:
        """Whether half of the device's free memory has room for all these rows."""
        if self._device.type != "cuda":
            return True
        free, _ = self._torch.cuda.mem_get_info(self._device)
        size = 4 * len(vectors) * vectors[:1].shape[1]
        return bool(size < (1.0 - RESERVE) * free)

    def _chunks_on_device(self, vectors: Vectors) -> list[tuple[slice, Any]]:
        """The rows on the device, chunk by chunk; nothing where it does not hold them."""
        if not self.holds(vectors):
            return []
        parts = chunks(len(vectors), PRODUCT_CHUNK)
        return [(part, _send(self._torch, vectors[part], self._device)) for part in parts]

    def _against(self, others: Rows) -> "_Against":
        return _OnDevice(self._torch, self._device, others)


CPU_DISTANCES = Distances()


def distances_on(wanted: str) -> Distances:
    """Where distances are computed: on the CPU for ``cpu``, and where torch has no GPU.

    Args:
        wanted: ``auto``, ``cpu``, ``cuda`` or any torch device, as for an encoder.
    """
    torch = sys.modules.get("torch")
    if wanted == "cpu" or torch is None or not torch.cuda.is_available():
        return CPU_DISTANCES
    device = torch.device("cuda" if wanted == "auto" else wanted)
    return DeviceDistances(torch, device) if device.type == "cuda" else CPU_DISTANCES


class _Against(Protocol):
    """The squared distances of rows to a fixed set of others."""

    def nearest(self, rows: Rows) -> Rows:
        """(m,) to the nearest."""

    def neighbours(self, rows: Rows, count: int) -> tuple[Positions, Rows]:
        """((m, count) which are nearest, in no order, (m, count) how far)."""


class _OnCpu:
    def __init__(self, others: Rows) -> None:
        self._others = others
        self._squares = np.einsum("ij,ij->i", others, others)

    def nearest(self, rows: Rows) -> Rows:
        return np.asarray(self._squared_distances(rows).min(axis=1))

    def neighbours(self, rows: Rows, count: int) -> tuple[Positions, Rows]:
        found = self._squared_distances(rows)
        if count < found.shape[1]:
            nearest = np.argpartition(found, count - 1, axis=1)[:, :count]
        else:
            nearest = np.broadcast_to(np.arange(count), found.shape)
        return nearest, np.take_along_axis(found, nearest, axis=1)

    def _squared_distances(self, rows: Rows) -> Rows:
        """(m, others) by one matrix product."""
        found = rows @ self._others.T
        found *= -2.0
        found += np.einsum("ij,ij->i", rows, rows)[:, None]
        found += self._squares
        np.maximum(found, 0.0, out=found)
        return np.asarray(found, dtype=np.float32)


class _OnDevice:
    """On the device; on the CPU from the first time on that its memory does not suffice."""

    def __init__(self, torch: Any, device: Any, others: Rows) -> None:
        self._torch, self._device = torch, device
        self._on_cpu, self._others = _OnCpu(others), None
        with suppress(torch.OutOfMemoryError):
            self._others = _send(torch, others, device)

    def nearest(self, rows: Rows) -> Rows:
        found = self._compute(rows, lambda squared: (squared.amin(dim=1),))
        return self._on_cpu.nearest(rows) if found is None else found[0]

    def neighbours(self, rows: Rows, count: int) -> tuple[Positions, Rows]:
        found = self._compute(
            rows, lambda squared: squared.topk(count, dim=1, largest=False, sorted=False)
        )
        if found is None:
            return self._on_cpu.neighbours(rows, count)
        return found[1].astype(np.intp, copy=False), found[0]

    def _compute(self, rows: Rows, reduce: Callable[[Any], Any]) -> list[NDArray[Any]] | None:
        """What is left of the (m, others) squared distances; None where they do not fit."""
        if self._others is None:
            return None
        try:
            return [part.cpu().numpy() for part in reduce(self._squared_distances(rows))]
        except self._torch.OutOfMemoryError:
            self._others = None
            return None

    def _squared_distances(self, rows: Rows) -> Any:
        there, others = _send(self._torch, rows, self._device), self._others
        assert others is not None
        with full_precision(self._torch):
            found = there @ others.T
        found *= -2.0
        found += (there * there).sum(dim=1, keepdim=True)
        found += (others * others).sum(dim=1)
        return found.clamp_(min=0.0)


@contextmanager
def full_precision(torch: Any) -> Iterator[None]:
    """Inside, products of float32 on a GPU are not rounded to TF32, whatever was set before."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _send(torch: Any, rows: Rows, device: Any) -> Any:
    return torch.from_numpy(np.require(rows, np.float32, ["C", "W"])).to(device)


def _rows_at_once(others: Rows) -> int:
    return max(1, min(CHUNK, BLOCK_VALUES // max(1, len(others))))
