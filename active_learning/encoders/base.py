"""What every encoder promises: texts in, vectors of length one out.

Every encoder has a ``revision`` that changes whenever its vectors do; vectors of different
revisions are never mixed.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from active_learning.types import Embeddings, Progress, ShouldStop, never, silent

BUNDLED_NAMES = (
    *("auto", "bundled-fast", "bundled-e5", "bundled-en", "bundled-multilingual", "characters"),
)
"""Encoders that need no download, by the names that :func:`loading.load_encoder` knows."""


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def revision(self) -> str:
        """Names the weights and settings that decide the vectors."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one (zero for a text without any content)."""


KEPT_AS = np.float16
"""Embeddings are kept, and learnt from, at this precision."""
TEXTS_AT_ONCE = 512
"""Texts a call of an encoder that does not say how many it wants. Chosen: between two calls one
can stop and tell progress."""


def texts_at_once(encoder: Encoder) -> int:
    """How many texts a call keep the encoder busy; any number gives the same vectors."""
    return int(getattr(encoder, "texts_at_once", TEXTS_AT_ONCE))


def bytes_of(encoder: Encoder) -> int:
    """Memory that its weights take; 0 where it has next to none, as hashed characters."""
    return int(getattr(encoder, "weight_bytes", 0))


def unit_rows(vectors: Embeddings) -> Embeddings:
    """(n, dimension): the rows scaled to length one; rows of zeros stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Embeddings = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled


class EmbeddingSource(Protocol):
    """Embeddings of texts by one encoder, at the precision in which they are kept."""

    @property
    def dimension(self) -> int:
        """Length of an embedding."""

    def embed(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32 in the order of the texts."""


class DirectEmbeddings:
    """Embeddings computed each time, equal to those that come from the cache."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self._encoder.dimension

    def embed(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32 in the order of the texts.

        Raises:
            Cancelled: ``should_stop`` answered True.
        """
        vectors = self._encoder.encode(texts, progress, should_stop)
        return vectors.astype(KEPT_AS).astype(np.float32)
