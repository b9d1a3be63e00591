"""Embeddings read without their encoder."""

from pathlib import Path

import numpy as np

from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.encoders.stored_embeddings import StoredEmbeddings


def test_they_are_those_of_the_cache(tmp_path: Path) -> None:
    encoder = load_encoder("characters")
    texts = [f"text {number}" for number in range(300)]
    vectors = EmbeddingCache(tmp_path, encoder).embed(texts)
    held = StoredEmbeddings(tmp_path, encoder.revision, encoder.dimension)
    places = held.places(["text 7", "nowhere", "text 299"])
    assert places[1] == -1
    np.testing.assert_array_equal(held.vectors(places[[0, 2]]), vectors[[7, 299]])
    assert held.places([]).tolist() == []


def test_nothing_is_there_without_a_cache(tmp_path: Path) -> None:
    held = StoredEmbeddings(tmp_path, "unknown", 8)
    assert held.places(["a", "b"]).tolist() == [-1, -1]
