"""The file of 4-bit blocks: sizes, vocabulary, replacements, tensors."""

from pathlib import Path

import numpy as np
import pytest

from active_learning.encoders.packed_weights import BLOCK, PackedWeights
from tests.fixtures.packed_model import INNER, PIECES, REPLACED, WIDTH, write_packed_model


def test_what_was_packed_is_read(tmp_path: Path) -> None:
    tensors = write_packed_model(tmp_path / "model.bin")
    read = PackedWeights(tmp_path / "model.bin")
    assert (read.sizes.width, read.sizes.inner) == (WIDTH, INNER)
    assert tuple(piece for piece, _ in read.pieces.scores) == PIECES
    assert (read.pieces.start, read.pieces.pad, read.pieces.end, read.pieces.unknown) == (
        0,
        1,
        2,
        3,
    )
    assert read.replacements == REPLACED
    for name, before in tensors.items():
        after = read.tensor(name, before.shape[-1]) if before.ndim == 2 else read.vector(name)
        assert after.shape == before.shape
        step = np.abs(before.reshape(-1, BLOCK)).max(axis=1).repeat(BLOCK).reshape(before.shape) / 7
        is_packed = after.dtype == np.float16
        assert (np.abs(after - before) <= (0.52 * step + 1e-3 if is_packed else 1e-6)).all()
    with pytest.raises(KeyError):
        read.vector("l9.q.b")


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"GGUF" + bytes(400))
    with pytest.raises(ValueError, match="4-bit blocks"):
        PackedWeights(path)
