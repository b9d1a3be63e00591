"""Parquet files."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.arrow_columns import column_values, value_type
from backend.ingestion.readers.base import Row
from backend.records.content import ValueTypes
from backend.words import Message

ROWS_PER_BATCH = 2_000
"""Chosen: bounds memory."""


class ParquetReader:
    """Values keep their types; a batch of rows is in memory at a time.

    Raises:
        UnreadableSource: no Parquet, a broken one, or a column name twice.
        OSError: the file cannot be opened.
    """

    format = "parquet"
    text_form = None

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb"):
            pass  # a missing file is an OSError, not a broken Parquet file
        try:
            self._file = pq.ParquetFile(path, memory_map=True)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        self.columns = tuple(self._file.schema_arrow.names)
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            self.close()
            raise UnreadableSource(
                Message(
                    "{path} has the column {twice!r} more than once.", path=path, twice=twice[0]
                ),
                field="columns",
                value=twice[0],
                remedy=Message("Give each column a name of its own."),
            )
        named = zip(self.columns, map(value_type, self._file.schema_arrow.types), strict=True)
        self.types: ValueTypes = {name: kind for name, kind in named if kind}
        self._total: int = max(1, self._file.metadata.num_rows)
        self._read = 0

    def rows(self) -> Iterator[tuple[int, Row]]:
        self._read = 0
        batches = self._file.iter_batches(ROWS_PER_BATCH)
        names = self.columns
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._unreadable(error) from error
            if batch is None:
                return
            for cells in zip(*map(column_values, batch.columns), strict=True):
                self._read += 1
                yield self._read, dict(zip(names, cells, strict=True))

    def fraction(self) -> float:
        return self._read / self._total

    def close(self) -> None:
        self._file.close()

    def _unreadable(self, error: Exception) -> UnreadableSource:
        return UnreadableSource(
            Message(
                "{path} is not a readable Parquet file: {error}.", path=self._path, error=error
            ),
            field="path",
            value=str(self._path),
            remedy=Message("Write it again, or name its real format with --format."),
        )
