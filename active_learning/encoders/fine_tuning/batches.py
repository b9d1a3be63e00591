"""Batches of tokens: texts of like length together, padded to the longest of the batch."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

STRETCH = 50
"""Batches within which texts are sorted by length; the order of the batches stays random. Chosen:
long enough that little is computed on padding."""


class TokenBatches:
    """The tokens of n texts, given out in batches of row numbers."""

    def __init__(self, tokenizer: Any, texts: Sequence[str], max_tokens: int) -> None:
        self._tokenizer = tokenizer
        encoded = tokenizer(list(texts), truncation=True, max_length=max_tokens)
        self._ids: list[list[int]] = encoded["input_ids"]
        self._lengths = np.array([len(ids) for ids in self._ids])

    def of(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        """The padded tensors (m, longest) of these rows (m,)."""
        ids = [self._ids[row] for row in rows.tolist()]
        return dict(self._tokenizer.pad({"input_ids": ids}, return_tensors="pt"))

    def random_batches(
        self, rows: NDArray[np.intp], size: int, rng: np.random.Generator
    ) -> Iterator[NDArray[np.intp]]:
        """Every row of ``rows`` (n,) once, in random batches (size,) of texts of like length."""
        order = rng.permutation(rows)
        batches = []
        for start in range(0, len(order), size * STRETCH):
            stretch = order[start : start + size * STRETCH]
            stretch = stretch[np.argsort(self._lengths[stretch], kind="stable")]
            batches += [stretch[at : at + size] for at in range(0, len(stretch), size)]
        yield from (batches[place] for place in rng.permutation(len(batches)))

    def longest_first(self, rows: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
        """Every row of ``rows`` (n,) once, in batches (size,), the longest text first."""
        order = rows[np.argsort(-self._lengths[rows], kind="stable")]
        yield from (order[start : start + size] for start in range(0, len(order), size))
