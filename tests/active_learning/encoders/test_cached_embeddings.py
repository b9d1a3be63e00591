"""A text gets the same vector before and after it is cached, and asking caches nothing."""

from pathlib import Path

import numpy as np

from active_learning.encoders.cached_embeddings import CachedEmbeddings
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder


def test_cached_and_new_texts_stand_in_their_order(tmp_path: Path) -> None:
    encoder = load_encoder("characters")
    cache = EmbeddingCache(tmp_path, encoder)
    texts = [f"text {n} 文本" for n in range(12)]
    cache.embed(texts[::3])
    known = len(cache)
    asked = CachedEmbeddings(cache, encoder)
    before = asked.embed([*reversed(texts), texts[0]])
    assert len(cache) == known
    np.testing.assert_array_equal(before, cache.embed([*reversed(texts), texts[0]]))
    assert before.dtype == np.float32
    assert asked.embed([]).shape == (0, encoder.dimension)
