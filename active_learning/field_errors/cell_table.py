"""The cells of one table as feature rows, made once and read by every fit."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from active_learning.columns.signals import CELL_SIGNALS, ColumnSignals
from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.types import Fields, Progress, ShouldStop, never, silent

CellFeatures = NDArray[np.float32]
FAULT_SIGNALS = (
    "missing",
    "missing_word",
    "value_rarity",
    "shape_rarity",
    "exact_shape_rarity",
    "length_deviation",
    "not_a_number",
    "number_deviation",
    "not_a_date",
    "date_out_of_range",
    "future",
    "rarest_trigram",
    "rare_trigram_share",
    "rare_trigrams",
    "rarest_token",
    "near_frequent_value",
    "near_frequent_token",
    "odd_characters",
    "repeated_key",
    "rarest_character",
    "dependency_violation",
    "order_violation",
)
"""Signals that are larger where something is wrong; the others only describe the value."""
_FAULT_PLACES = [CELL_SIGNALS.index(name) for name in FAULT_SIGNALS]
SUSPICIONS = 4
"""What ``_suspicions`` tells of a cell: largest, mean of three, mean of all, how many above 3."""
LEAST_SPREAD = 0.05
"""Chosen: a signal that hardly ever differs would otherwise count any difference without bound."""
MOST_SPREADS = 8.0
"""Chosen: beyond so many spreads one signal says all it can, and must not drown the others."""


class CellTable:
    """Records with the signals of their cells.

    A cell is described by its signals, by how far each lies from the mean of its column, by its
    suspicion (how unusual it is, before anybody marked anything) and by its column. What names
    no column teaches about the other columns; the column lets a fault that fills one whole
    column be learnt as such.

    Args:
        records: field name to value; every record has the fields of the first one.
        signals: what is usual; fitted on these records when not given.
        fields: columns to look at; the first record's fields by default.
        today: days after this one are in the future.
        seed: of the samples that bound the memory of the fit.

    Raises:
        NoLabels: there is no record, or a record without fields.
        ShapeMismatch: a record has other fields than the first, or ``signals`` lack a field.
        Cancelled: ``should_stop`` answered True.
    """

    def __init__(
        self,
        records: Sequence[Fields],
        signals: ColumnSignals | None = None,
        *,
        fields: Sequence[str] | None = None,
        today: date | None = None,
        seed: int = 0,
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> None:
        if not records or not (fields or records[0]):
            raise NoLabels("The table has no record or no field; give at least one of both.")
        wanted = tuple(fields or (signals.fields if signals else records[0]))
        for number, record in enumerate(records):
            lacking = [name for name in wanted if name not in record]
            extra = [] if fields or signals else [name for name in record if name not in wanted]
            if lacking or extra:
                raise ShapeMismatch(
                    f"Record {number} differs from the columns of the table: missing {lacking}, "
                    f"unknown {extra}; give every record the same fields."
                )
        if signals is not None and signals.fields != wanted:
            raise ShapeMismatch(
                f"The signals know the fields {signals.fields}, the table has {wanted}; fit the "
                "signals on this table."
            )
        self.records = records
        self.fields = wanted
        self.signals = signals or ColumnSignals.fit(
            records,
            fields=wanted,
            today=today,
            seed=seed,
            progress=progress,
            should_stop=should_stop,
        )
        self.cells = self.signals.transform(records, progress, should_stop).cells
        self._means = self.cells.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = self.cells[:, :, _FAULT_PLACES].std(axis=0, dtype=np.float64)
        self._spread = np.maximum(spread, LEAST_SPREAD).astype(np.float32)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def width(self) -> int:
        """Features of one cell."""
        return 2 * self.cells.shape[2] + SUSPICIONS + len(self.fields)

    def features(self, rows: NDArray[np.intp] | slice) -> CellFeatures:
        """(rows, fields, width) features of the cells of these rows."""
        cells = self.cells[rows]
        column = np.eye(len(self.fields), dtype=np.float32)
        return np.concatenate(
            [
                cells,
                cells - self._means,
                self._suspicions(cells),
                np.broadcast_to(column, (len(cells), *column.shape)),
            ],
            axis=2,
            dtype=np.float32,
        )

    def suspicion(self, rows: NDArray[np.intp] | slice) -> NDArray[np.float32]:
        """(rows, fields) mean deviation of the fault signals, in spreads of their column."""
        return self._suspicions(self.cells[rows])[:, :, 2]

    def _suspicions(self, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """(rows, fields, 4): largest, mean of the top three, mean of all, how many above 3."""
        deviations = (cells[:, :, _FAULT_PLACES] - self._means[:, _FAULT_PLACES]) / self._spread
        deviations = np.sort(np.clip(deviations, 0.0, MOST_SPREADS), axis=2)
        return np.stack(
            [
                deviations[:, :, -1],
                deviations[:, :, -3:].mean(axis=2),
                deviations.mean(axis=2),
                (deviations > 3).sum(axis=2),
            ],
            axis=2,
            dtype=np.float32,
        )
