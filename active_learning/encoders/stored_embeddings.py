"""Embeddings that somebody has computed, read without the encoder.

A process that shows records has neither the time nor the memory for an encoder; what it needs lies
in the embedding cache, found by the text's hash.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from active_learning.encoders.base import KEPT_AS
from active_learning.encoders.embedding_cache import (
    COUNT,
    HASH_BYTES,
    HASHES,
    VECTORS,
    folder_of,
    text_hash,
)
from active_learning.row_file import RowFile
from active_learning.types import Embeddings, Positions

WORDS = HASH_BYTES // 8
"""Of eight bytes in a hash."""


class StoredEmbeddings:
    """The embeddings of one encoder revision below a directory, as far as they are on disk.

    Args:
        directory: of the cache, shared by all encoders.
        revision: of the encoder.
        dimension: of its embeddings.
    """

    def __init__(self, directory: Path, revision: str, dimension: int) -> None:
        self._folder = folder_of(directory, revision)
        self._vectors = RowFile(self._folder / VECTORS, KEPT_AS, dimension)

    def places(self, texts: Sequence[str]) -> Positions:
        """(n,) the row of each text's embedding, -1 where it is not on disk.

        All hashes are read for it, 16 MB a million: ask for many texts at once.
        """
        found = np.full(len(texts), -1, dtype=np.intp)
        known = self._hashes()
        wanted = [np.frombuffer(text_hash(text), dtype=np.uint64) for text in texts]
        if not len(known) or not wanted:
            return found
        is_wanted = np.zeros(2**16, dtype=np.bool_)
        is_wanted[[key.view(np.uint16)[0] for key in wanted]] = True
        # One in 65,536 for each text is left to be compared whole.
        candidates = np.flatnonzero(is_wanted[known.view(np.uint16)[:, 0]])
        rows = {known[row].tobytes(): row for row in candidates.tolist()}
        for place, key in enumerate(wanted):
            found[place] = rows.get(key.tobytes(), -1)
        return found

    def vectors(self, places: Positions) -> Embeddings:
        """(m, dimension) float32 of these rows.

        Raises:
            IndexError: there are fewer rows: somebody has deleted the embeddings meanwhile.
        """
        return self._vectors.read(places).astype(np.float32)

    def _hashes(self) -> NDArray[np.uint64]:
        """(rows, WORDS); none where there is no cache."""
        try:
            count = int((self._folder / COUNT).read_text("ascii"))
            words = np.fromfile(self._folder / HASHES, dtype=np.uint64, count=WORDS * count)
        except (FileNotFoundError, ValueError):
            return np.empty((0, WORDS), dtype=np.uint64)
        return words[: len(words) // WORDS * WORDS].reshape(-1, WORDS)
