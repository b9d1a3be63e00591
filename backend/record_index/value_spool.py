"""Every value of a dataset's current records in one Arrow file, a column each.

What columns are made of, and the next columns from: of records that stay, nothing is read again.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.record_index.repository import RecordRow
from backend.record_index.values import value_text
from backend.record_index.versions import Versions, digest_of

SPOOL = "values.arrow"
VALUE_CHARACTERS = 256
"""So much of a value is kept. Nobody picks longer ones from a list, and a million of them are a
quarter of a gigabyte a field, which is what the making of columns may take of memory."""
ID, DIGEST, EXTERNAL_ID, KIND, IMPORT_ID, CREATED_AT = (
    *("id", "digest", "external_id", "kind", "import_id", "created_at"),
)
OWN = (
    pa.field(ID, pa.int64()),
    pa.field(DIGEST, pa.int64()),
    pa.field(EXTERNAL_ID, pa.string()),
    pa.field(KIND, pa.string()),
    pa.field(IMPORT_ID, pa.int64()),
    pa.field(CREATED_AT, pa.int64()),
)
NO_IMPORT = -1


def column_of_field(field: str) -> str:
    """What the field is called in the file, whatever its own name is."""
    return f"field:{field}"


class ValueSpool:
    """Such a file.

    Args:
        folder: it lies in.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / SPOOL

    def versions(self) -> Versions:
        """Its records, by ascending id.

        Raises:
            FileNotFoundError: there is no such file.
        """
        ids, digests = self.numbers(ID), self.numbers(DIGEST)
        order = np.argsort(ids)
        return Versions(ids[order], digests[order])

    def numbers(self, name: str) -> NDArray[np.int64]:
        """(n,) a column of our own, in the file's order."""
        parts = [part.to_numpy(zero_copy_only=False) for part in self._parts(name)]
        return np.concatenate([np.empty(0, dtype=np.int64), *parts])

    def texts(self, name: str) -> pa.ChunkedArray:
        """(n,) a column of texts, in the file's order; null is missing."""
        return pa.chunked_array(list(self._parts(name)), type=pa.string())

    def _parts(self, name: str) -> Iterator[pa.Array]:
        with pa.OSFile(str(self._path), "rb") as file:
            place = pa.ipc.open_file(file).schema.get_field_index(name)
            options = pa.ipc.IpcReadOptions(included_fields=[place])
            reader = pa.ipc.open_file(file, options=options)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number).column(0)

    def batches(self, kept: Versions, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The records that are among ``kept``; columns that the file lacks are missing."""
        with pa.OSFile(str(self._path), "rb") as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                ids, digests = (batch.column(name).to_numpy() for name in (ID, DIGEST))
                batch = batch.filter(pa.array(Versions(ids, digests).are_in(kept)))
                there = set(batch.schema.names)
                yield pa.RecordBatch.from_arrays(
                    [
                        batch.column(field.name)
                        if field.name in there
                        else pa.nulls(batch.num_rows, field.type)
                        for field in schema
                    ],
                    schema=schema,
                )


class SpoolWriter:
    """Writes such a file.

    Args:
        folder: it will lie in.
        fields: whose values it holds.
    """

    def __init__(self, folder: Path, fields: Sequence[str]) -> None:
        self._fields = list(fields)
        own = [pa.field(column_of_field(field), pa.string()) for field in fields]
        self.schema = pa.schema([*OWN, *own])
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(str(folder / SPOOL), self.schema, options=options)

    def copy(self, other: ValueSpool, kept: Versions) -> None:
        """The records of another file that are among ``kept`` are in this one."""
        for batch in other.batches(kept, self.schema):
            if batch.num_rows:
                self._writer.write_batch(batch)

    def add(self, rows: Sequence[RecordRow]) -> None:
        """These records are in it."""
        if not rows:
            return
        columns: list[list[Any]] = [
            [row.id for row in rows],
            [digest_of(row.content_hash) for row in rows],
            [row.external_id for row in rows],
            [row.kind for row in rows],
            [NO_IMPORT if row.import_id is None else row.import_id for row in rows],
            [int(row.created_at.timestamp() * 1_000_000) for row in rows],
        ]
        # One character too many says that there are more.
        columns += [
            [
                text if text is None else text[: VALUE_CHARACTERS + 1]
                for text in (value_text(row.fields.get(field)) for row in rows)
            ]
            for field in self._fields
        ]
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(columns, self.schema, strict=True)
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self.schema))

    def close(self) -> None:
        """The file is whole; nothing happens at a second call."""
        self._writer.close()
