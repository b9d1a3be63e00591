"""Embeddings for an answer at once: those that are cached, and new ones that are not kept."""

from collections.abc import Sequence

import numpy as np

from active_learning.encoders.base import DirectEmbeddings, Encoder
from active_learning.encoders.embedding_cache import EmbeddingCache, text_hash
from active_learning.types import Embeddings, Progress, ShouldStop, never, silent


class CachedEmbeddings:
    """Reads a cache and never writes to it: a text that is asked about once is not worth a place.

    New vectors have as many digits as the cache would keep, so a text gets the same answer before
    and after it is cached.

    Args:
        cache: of the encoder's embeddings.
        encoder: computes what the cache does not have.
    """

    def __init__(self, cache: EmbeddingCache, encoder: Encoder) -> None:
        self._cache = cache
        self._direct = DirectEmbeddings(encoder)

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self._cache.dimension

    def embed(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32 in the order of the texts.

        Raises:
            Cancelled: ``should_stop`` answered True.
        """
        places = self._cache.places([text_hash(text) for text in texts])
        is_known = places >= 0
        found = np.empty((len(texts), self.dimension), dtype=np.float32)
        found[is_known] = self._cache.vectors(places[is_known])
        if not is_known.all():
            new = [text for text, known in zip(texts, is_known.tolist(), strict=True) if not known]
            found[~is_known] = self._direct.embed(new, progress, should_stop)
        return found
