"""Short codes find what the vectors themselves would."""

from pathlib import Path

import numpy as np

from active_learning.embedding_map.codes import encode, nearest
from active_learning.row_file import RowFile


def test_the_nearest_by_codes_hold_the_nearest_by_vectors(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    vectors = (rng.normal(size=(45_000, 50)) * np.linspace(2, 0.1, 50)).astype(np.float32)
    codes, scales = encode(vectors)
    codes.tofile(tmp_path / "codes")
    file = RowFile(tmp_path / "codes", np.int8, 50)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row in (0, 17, 44_999):
        found = nearest(file, scales, vectors[row], 60)
        true = np.argsort(-(units @ units[row]), kind="stable")[:10]
        assert found[0] == row
        assert np.isin(true, found).all()


def test_codes_times_scales_are_directions() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(200, 20)).astype(np.float32) * 1e-6
    vectors[3] = 0.0
    codes, scales = encode(vectors)
    units = np.delete(vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-30), 3, 0)
    told = np.delete(codes * scales[:, None], 3, 0)
    np.testing.assert_allclose(told, units, atol=1 / 127)
    assert scales[3] == 0.0
    assert not codes[3].any()


def test_fewer_than_wanted_and_none(tmp_path: Path) -> None:
    np.empty((0, 4), dtype=np.int8).tofile(tmp_path / "none")
    empty = RowFile(tmp_path / "none", np.int8, 4)
    vector = np.ones(4, dtype=np.float32)
    assert nearest(empty, np.empty(0, dtype=np.float32), vector, 5).tolist() == []
    codes, scales = encode(np.array([[1, 0, 0, 0], [1, 1, 1, 1]], dtype=np.float32))
    codes.tofile(tmp_path / "two")
    two = RowFile(tmp_path / "two", np.int8, 4)
    assert nearest(two, scales, vector, 5).tolist() == [1, 0]
