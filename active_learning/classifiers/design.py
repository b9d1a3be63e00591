"""The matrix that the logistic heads read: scaled blocks side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.faulty_fields import CORE_COLUMNS, fault_summary
from active_learning.classifiers.logistic_heads import OUT_OF_PLAY, LogisticHeads
from active_learning.columns.signals import Signals
from active_learning.types import Embeddings, Probabilities

CLIP = 6.0
"""Standard deviations beyond which a signal is cut: one odd record must not steer a head.
Chosen."""
COMPONENTS = 160
"""Directions of the embedding that are kept; all of them up to 160 labelled records. Chosen: a
bound on what a fit costs."""


class BlockScales(NamedTuple):
    """How loud each block speaks; a ridge penalty makes quiet blocks matter less."""

    embedding: float
    """Of the text."""
    signals: float
    """Of the record signals, the single fields and the kind of fault."""


@dataclass(frozen=True)
class DesignMatrix:
    """Centres, directions and scales of the blocks, learnt from the labelled rows."""

    scales: BlockScales
    embedding_mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    """(embedding, components) orthonormal columns: principal directions of the labelled rows."""
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    """Of the fault summary and the record signals, one after the other."""

    @classmethod
    def fit(
        cls,
        embeddings: Embeddings,
        signals: Signals,
        faults: Probabilities,
    ) -> tuple["DesignMatrix", NDArray[np.float32]]:
        """The scaling learnt from these n rows, with scales of one, and the rows scaled.

        ``embeddings`` are (n, dimension), ``faults`` (n, fields); the scaled rows (n, width).
        """
        plain = _plain(signals, faults)
        # In double precision: rounding would give a column that never varies a spread of its own,
        # and heads of texts alone would take it for a signal and might do without the text.
        spread = plain.std(axis=0, dtype=np.float64)
        mean = embeddings.mean(axis=0).astype(np.float32)
        design = cls(
            BlockScales(1.0, 1.0),
            mean,
            _principal_directions(embeddings - mean),
            plain.mean(axis=0).astype(np.float32),
            np.where(spread > 1e-6, spread, np.inf).astype(np.float32),
        )
        return design, design.transform(embeddings, signals, faults)

    def with_scales(self, scales: BlockScales) -> "DesignMatrix":
        """The same centres and directions with other scales."""
        return DesignMatrix(scales, self.embedding_mean, self.basis, self.mean, self.spread)

    def rescale(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """A matrix (n, width) of scales one, in this design's scales."""
        return matrix * self._loudness()

    def transform(
        self, embeddings: Embeddings, signals: Signals, faults: Probabilities
    ) -> NDArray[np.float32]:
        """(n, width) float32: fault summary, record signals and components side by side."""
        scaled = np.clip((_plain(signals, faults) - self.mean) / self.spread, -CLIP, CLIP)
        if self.scales.embedding == 0.0:
            text: NDArray[Any] = np.zeros((len(embeddings), self.basis.shape[1]), np.float32)
        else:
            text = (embeddings - self.embedding_mean) @ self.basis
        return self.rescale(np.concatenate([scaled, text], axis=1, dtype=np.float32))

    def _loudness(self) -> NDArray[np.float32]:
        loudness = np.full(len(self.mean) + self.basis.shape[1], self.scales.signals, np.float32)
        loudness[:CORE_COLUMNS] = 1.0
        loudness[len(self.mean) :] = self.scales.embedding
        return loudness

    def carry(self, heads: LogisticHeads, former: "DesignMatrix") -> LogisticHeads:
        """Heads that read this design's matrix as the given ones read the former design's.

        Exact but for what lies outside the directions kept here.
        """
        cut = len(self.mean)
        plain, text = heads.weights[:cut], heads.weights[cut:]
        slopes = plain * (former._loudness()[:cut] / former.spread)[:, None]
        is_varied = np.isfinite(self.spread)
        rows = np.where(is_varied, self.spread, 0.0) / self._loudness()[:cut]
        biases = heads.biases + (self.mean - former.mean) @ slopes
        meanings = former.basis @ text * former.scales.embedding
        biases = biases + (self.embedding_mean - former.embedding_mean) @ meanings
        loudness = self.scales.embedding
        turned = (
            self.basis.T @ meanings / loudness
            if loudness
            else np.zeros_like(self.basis.T @ meanings)
        )
        weights = np.concatenate([slopes * rows[:, None], turned])
        out_of_play = heads.biases[: heads.classes] <= OUT_OF_PLAY
        biases[: heads.classes][out_of_play] = OUT_OF_PLAY
        return LogisticHeads(weights, biases, heads.classes)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays that ``from_arrays`` understands."""
        return {
            "scales": np.array(self.scales),
            "embedding_mean": self.embedding_mean,
            "basis": self.basis,
            "mean": self.mean,
            "spread": self.spread,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "DesignMatrix":
        """The matrix that ``to_arrays`` wrote."""
        embedding, signals = (float(scale) for scale in arrays["scales"])
        return cls(
            BlockScales(embedding, signals),
            arrays["embedding_mean"],
            arrays["basis"],
            arrays["mean"],
            arrays["spread"],
        )


def _plain(signals: Signals, faults: Probabilities) -> NDArray[np.float32]:
    return np.concatenate([fault_summary(faults, signals.cells), signals.record], axis=1)


def _principal_directions(centred: Embeddings) -> NDArray[np.float32]:
    """(d, components) of the rows; by the smaller of the two Gram matrices."""
    n, d = centred.shape
    kept = min(COMPONENTS, n, d)
    if n >= d:
        _, directions = np.linalg.eigh(centred.T @ centred)
        return np.ascontiguousarray(directions[:, ::-1][:, :kept], dtype=np.float32)
    squares, mixes = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    squares, mixes = squares[::-1][:kept], mixes[:, ::-1][:, :kept]
    sound = squares > 1e-6 * max(float(squares[0]), 1e-12)
    basis = centred.T @ (mixes[:, sound] / np.sqrt(squares[sound]))
    return np.ascontiguousarray(basis, dtype=np.float32)
