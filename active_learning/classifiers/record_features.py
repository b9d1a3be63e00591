"""From records to the one matrix that classifiers and query strategies read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from active_learning.columns.signals import (
    CELL_SIGNALS,
    RECORD_SIGNALS,
    ColumnSignals,
    Signals,
)
from active_learning.encoders.base import EmbeddingSource
from active_learning.encoders.record_text import record_text
from active_learning.exceptions import ShapeMismatch
from active_learning.types import Embeddings, Features, Fields, Progress, ShouldStop, never, silent


@dataclass(frozen=True)
class FeatureLayout:
    """Which columns of the matrix are what: embedding, record signals, cells field by field."""

    embedding: int
    record_signals: int
    fields: tuple[str, ...]
    cell_signals: int

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return self.embedding + self.record_signals + len(self.fields) * self.cell_signals

    def join(self, embeddings: Embeddings, signals: Signals) -> Features:
        """(n, width) float32.

        Raises:
            ShapeMismatch: the parts are not of this layout, or not of the same records.
        """
        cells = signals.cells.reshape(len(signals.cells), -1)
        try:
            joined = np.concatenate([embeddings, signals.record, cells], axis=1, dtype=np.float32)
        except ValueError as error:
            raise ShapeMismatch(
                f"Embeddings and signals do not belong together: {error}"
            ) from error
        self.check(joined)
        return joined

    def check(self, features: Features) -> None:
        """Returns if the matrix has this layout: (n, width).

        Raises:
            ShapeMismatch: it does not.
        """
        if features.ndim != 2 or features.shape[1] != self.width:
            raise ShapeMismatch(
                f"The feature matrix has shape {features.shape}, this layout needs (n, "
                f"{self.width}); compute it with the classifier's own encoder and signals."
            )

    def check_same(self, other: "FeatureLayout") -> None:
        """Returns if rows of the other layout are rows of this one.

        Raises:
            ShapeMismatch: they are not.
        """
        if other != self:
            raise ShapeMismatch(
                f"Rows of {other} are none of {self}; use the classifier's own encoder and signals."
            )

    def split(self, features: Features) -> tuple[Embeddings, Signals]:
        """The embeddings (n, dimension) and signals of :meth:`join`, from (n, width).

        Raises:
            ShapeMismatch: the matrix has another width.
        """
        self.check(features)
        first, second = self.embedding, self.embedding + self.record_signals
        shape = (len(features), len(self.fields), self.cell_signals)
        return features[:, :first], Signals(
            features[:, first:second], features[:, second:].reshape(shape)
        )


def layout_of(dimension: int, signals: ColumnSignals) -> FeatureLayout:
    """The layout of embeddings of that dimension beside these signals."""
    return FeatureLayout(dimension, len(RECORD_SIGNALS), signals.fields, len(CELL_SIGNALS))


class RecordFeatures:
    """Turns records into the feature matrix."""

    def __init__(self, embeddings: EmbeddingSource, signals: ColumnSignals) -> None:
        self._embeddings = embeddings
        self._signals = signals
        self.layout = layout_of(embeddings.dimension, signals)

    def transform(
        self,
        records: Sequence[Fields],
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> Features:
        """(n, layout.width) float32, in the order of the records.

        Raises:
            Cancelled: ``should_stop`` answered True; finished embeddings stay cached.
        """
        signals = self._signals.transform(
            records, lambda share, message: progress(0.1 * share, message), should_stop
        )
        texts = [record_text(record) for record in records]
        embeddings = self._embeddings.embed(
            texts, lambda share, message: progress(0.1 + 0.9 * share, message), should_stop
        )
        return self.layout.join(embeddings, signals)
