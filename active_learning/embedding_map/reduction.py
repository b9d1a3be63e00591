"""Embeddings in few dimensions: the directions in which they differ most."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Embeddings

DIMENSIONS = 50
"""Directions that are kept: what van der Maaten and Hinton (2008) reduce to before they draw."""


@dataclass(frozen=True)
class Reduction:
    """Principal components of some embeddings.

    Attributes:
        mean: (dimension,) of what it was fitted on.
        components: (k, dimension) orthonormal, that of the largest variance first.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]

    @classmethod
    def fit(cls, vectors: Embeddings, seed: int) -> "Reduction":
        """The ``DIMENSIONS`` first components of (n, dimension), fewer where there are fewer.

        The same vectors and seed give the same components, signs included (randomized SVD, Halko
        et al. 2011, with its signs set by ``svd_flip``).
        """
        from sklearn.utils.extmath import randomized_svd

        mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        kept = min(DIMENSIONS, *vectors.shape)
        _, _, components = randomized_svd(vectors - mean, kept, random_state=seed)
        return cls(mean, components.astype(np.float32))

    @property
    def dimensions(self) -> int:
        """Length of a reduced vector."""
        return len(self.components)

    def transform(self, vectors: Embeddings) -> Embeddings:
        """(n, dimensions) float32."""
        return ((vectors - self.mean) @ self.components.T).astype(np.float32, copy=False)

    def save(self, path: Path) -> None:
        """It is in that file (.npz)."""
        np.savez(path, mean=self.mean, components=self.components)

    @classmethod
    def load(cls, path: Path) -> "Reduction":
        """The one that was saved there.

        Raises:
            OSError, ValueError, KeyError: the file cannot be read.
        """
        with np.load(path, allow_pickle=False) as held:
            return cls(held["mean"], held["components"])
