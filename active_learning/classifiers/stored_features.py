"""The feature matrix of a pool on disk: written in pieces, read by rows.

Embeddings stay where they are cached; beside them lie the signals, as float32 like those computed
in memory, so that classifiers and strategies see the same figures.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_features import FeatureLayout
from active_learning.columns.signals import CELL_SIGNALS, RECORD_SIGNALS, ColumnSignals, Signals
from active_learning.exceptions import ShapeMismatch
from active_learning.row_file import RowFile
from active_learning.types import Embeddings, Features

RECORD, CELLS, FITTED = "record.f32", "cells.f32", "signals.json"


class SignalFiles:
    """The signals of n records in a folder, which is there whole or not at all."""

    def __init__(self, folder: Path, fields: int) -> None:
        self.folder = folder
        self.record = RowFile(folder / RECORD, np.float32, len(RECORD_SIGNALS))
        """(n, len(RECORD_SIGNALS))"""
        self.cells = RowFile(folder / CELLS, np.float32, fields * len(CELL_SIGNALS))
        """(n, fields x len(CELL_SIGNALS))"""

    def __len__(self) -> int:
        """Records; 0 where there is no such folder."""
        return min(len(self.record), len(self.cells))

    def column_signals(self) -> ColumnSignals:
        """What the signals were computed against.

        Raises:
            ArtifactCorrupt: it cannot be read.
        """
        return ColumnSignals.load(self.folder / FITTED)


class SignalWriter:
    """Writes signals piece by piece; the folder is made by :meth:`finish`.

    Args:
        folder: where they shall be; its parent may come into being meanwhile.
        beside: where they are until then, on the same disk.
        signals: what they are computed against.
    """

    def __init__(self, folder: Path, beside: Path, signals: ColumnSignals) -> None:
        self._folder, self._beside, self._signals = folder, beside, signals
        shutil.rmtree(self._beside, ignore_errors=True)
        self._beside.mkdir(parents=True)
        self._record: BinaryIO = (self._beside / RECORD).open("wb")
        self._cells: BinaryIO = (self._beside / CELLS).open("wb")

    def add(self, found: Signals) -> None:
        """The next records' signals are written."""
        self._record.write(np.ascontiguousarray(found.record, dtype=np.float32).data)
        self._cells.write(np.ascontiguousarray(found.cells, dtype=np.float32).data)

    def finish(self) -> SignalFiles:
        """The folder holds all that was added; one that was there before is replaced."""
        for file in (self._record, self._cells):
            file.flush()
            os.fsync(file.fileno())
            file.close()
        self._signals.save(self._beside / FITTED)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._beside.rename(self._folder)
        return SignalFiles(self._folder, len(self._signals.fields))

    def discard(self) -> None:
        """Nothing of it is left; after :meth:`finish` nothing happens."""
        for file in (self._record, self._cells):
            file.close()
        shutil.rmtree(self._beside, ignore_errors=True)


class StoredFeatures:
    """A pool's feature matrix, read row by row from disk.

    Args:
        layout: of the matrix.
        vectors: from (m,) places to (m, layout.embedding) embeddings.
        places: (n,) where each record's embedding is.
        signals: of the same n records.

    Raises:
        ShapeMismatch: there are not as many signals as places.
    """

    def __init__(
        self,
        layout: FeatureLayout,
        vectors: Callable[[NDArray[np.int64]], Embeddings],
        places: NDArray[np.int64],
        signals: SignalFiles,
    ) -> None:
        if len(signals) != len(places):
            raise ShapeMismatch(f"{len(signals)} records have signals, {len(places)} embeddings.")
        self.layout = layout
        self._vectors, self._places, self._signals = vectors, places, signals

    @property
    def shape(self) -> tuple[int, int]:
        """(n, width)."""
        return len(self._places), self.layout.width

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, key: Any) -> Features:
        """(m, width) float32 of a slice or of (m,) positions; fewer columns for ``[rows, a:b]``."""
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        if isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        rows = np.asarray(rows)
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        start, stop, _ = columns.indices(self.layout.width)
        out = np.empty((len(rows), max(0, stop - start)), dtype=np.float32)
        first = self.layout.embedding
        second = first + self.layout.record_signals
        for low, high, read in (
            (0, first, lambda: self._vectors(self._places[rows])),
            (first, second, lambda: self._signals.record.read(rows)),
            (second, self.layout.width, lambda: self._signals.cells.read(rows)),
        ):
            begin, end = max(low, start), min(high, stop)
            if begin < end:
                out[:, begin - start : end - start] = read()[:, begin - low : end - low]
        return out
