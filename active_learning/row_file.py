"""Rows of equal width in a file, read by position.

They are read, not mapped: pages of a mapped file count as memory of the process, and a pool of a
million records would fill a worker's. The operating system keeps what is read often all the same.
"""

import itertools
import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from active_learning.types import Positions

GAP_BYTES = 16_384
"""Rows that lie closer are read in one call with what is between them: reading so much takes as
long as one more call (both about two microseconds)."""
SPAN_BYTES = 16_777_216
"""Bytes that one call reads. Chosen: bounds memory."""

Rows: TypeAlias = slice | Positions


class RowFile:
    """n rows of ``width`` values; the file may grow meanwhile, what was there stays.

    Args:
        path: of the file; it is opened for each reading.
        dtype: of the values on disk.
        width: values of a row.
    """

    def __init__(self, path: Path, dtype: DTypeLike, width: int) -> None:
        self._path = path
        self._dtype = np.dtype(dtype)
        self._width = width
        self._row_bytes = self._dtype.itemsize * width

    def __len__(self) -> int:
        """Whole rows in the file; 0 where there is no file."""
        try:
            return self._path.stat().st_size // self._row_bytes
        except FileNotFoundError:
            return 0

    def read(self, rows: Rows) -> NDArray[Any]:
        """(m, width) these rows, in their order, as they are on disk.

        Raises:
            IndexError: the file holds fewer rows.
        """
        wanted = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        out = np.empty((len(wanted), self._width), dtype=self._dtype)
        if out.size == 0:
            return out
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            order = None
            if (np.diff(wanted) < 0).any():
                order = np.argsort(wanted, kind="stable")
                wanted = wanted[order]
            gaps = np.diff(wanted) > max(1, GAP_BYTES // self._row_bytes)
            breaks = [0, *(np.flatnonzero(gaps) + 1).tolist(), len(wanted)]
            for start, end in itertools.pairwise(breaks):
                self._read_span(descriptor, wanted, start, end, order, out)
        finally:
            os.close(descriptor)
        return out

    def _read_span(
        self,
        descriptor: int,
        wanted: Positions,
        start: int,
        end: int,
        order: Positions | None,
        out: NDArray[Any],
    ) -> None:
        """Rows ``wanted[start:end]`` lie close together, and come to their places in ``out``."""
        while start < end:
            first = int(wanted[start])
            most = first + max(1, SPAN_BYTES // self._row_bytes)
            stop = start + int(np.searchsorted(wanted[start:end], most))
            count = int(wanted[stop - 1]) - first + 1
            block = np.empty((count, self._width), dtype=self._dtype)
            done, buffer = 0, block.reshape(-1).view(np.uint8).data
            while done < len(buffer):
                read = os.preadv(descriptor, [buffer[done:]], first * self._row_bytes + done)
                if read == 0:
                    raise IndexError(f"{self._path} has no row {first + done // self._row_bytes}.")
                done += read
            places = slice(start, stop) if order is None else order[start:stop]
            offsets = wanted[start:stop] - first
            is_run = len(offsets) == count and bool((offsets == np.arange(count)).all())
            out[places] = block if is_run else block[offsets]
            start = stop
