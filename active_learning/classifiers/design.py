"""The matrix that the logistic heads read: scaled blocks side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.column_signals import Signals
from active_learning.classifiers.faulty_fields import fault_summary
from active_learning.types import Embeddings, Probabilities

SIGNAL_SCALE = 0.3
SUMMARY_SCALE = 1.0
CLIP = 6.0
"""Standard deviations beyond which a signal is cut: one odd record must not steer a head."""


@dataclass(frozen=True)
class DesignMatrix:
    """Centres and scales of the blocks embedding, record signals and fault summary."""

    embedding_scale: float
    embedding_mean: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    """Of the record signals and the fault summary, one after the other."""

    @classmethod
    def fit(
        cls,
        embeddings: Embeddings,
        signals: Signals,
        faults: Probabilities,
        embedding_scale: float,
    ) -> tuple["DesignMatrix", NDArray[np.float32]]:
        """The scaling learnt from these rows, and the rows scaled."""
        plain = np.concatenate([signals.record, fault_summary(faults, signals.cells)], axis=1)
        spread = plain.std(axis=0)
        design = cls(
            embedding_scale,
            embeddings.mean(axis=0).astype(np.float32),
            plain.mean(axis=0).astype(np.float32),
            np.where(spread > 1e-6, spread, np.inf).astype(np.float32),
        )
        return design, design.transform(embeddings, signals, faults)

    def transform(
        self, embeddings: Embeddings, signals: Signals, faults: Probabilities
    ) -> NDArray[np.float32]:
        """(n, embedding + record signals + fault summary) float32."""
        plain = np.concatenate([signals.record, fault_summary(faults, signals.cells)], axis=1)
        scaled = np.clip((plain - self.mean) / self.spread, -CLIP, CLIP)
        first = signals.record.shape[1]
        scaled[:, :first] *= SIGNAL_SCALE
        scaled[:, first:] *= SUMMARY_SCALE
        if self.embedding_scale == 0.0:
            text = np.zeros((len(embeddings), 0), dtype=np.float32)
        else:
            text = (embeddings - self.embedding_mean) * np.float32(self.embedding_scale)
        return np.concatenate([text, scaled], axis=1, dtype=np.float32)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays that ``from_arrays`` understands."""
        return {
            "embedding_scale": np.array([self.embedding_scale]),
            "embedding_mean": self.embedding_mean,
            "mean": self.mean,
            "spread": self.spread,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "DesignMatrix":
        """The matrix that ``to_arrays`` wrote."""
        return cls(
            float(arrays["embedding_scale"][0]),
            arrays["embedding_mean"],
            arrays["mean"],
            arrays["spread"],
        )
