"""Records as CSV, JSONL or Parquet, a page in memory at a time."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from backend.models import Record

ExportFormat = Literal["csv", "jsonl", "parquet"]
OWN_COLUMNS = ("external_id", "kind", "source", "observed_at", "is_current", "content_hash")
ROWS_PER_GROUP = 10_000
MEDIA_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def export(
    records: Iterable[Record], fields: Sequence[str], export_format: ExportFormat
) -> Iterator[bytes]:
    """The file's bytes, piece by piece: our columns, then the dataset's fields.

    A field called like one of our columns is written as ``field.NAME``. CSV is UTF-8 with
    a byte order mark (spreadsheets need it). In Parquet every column is text, values that
    are not text as JSON.
    """
    return _EXPORTERS[export_format](records, fields)


def column_names(fields: Sequence[str]) -> list[str]:
    """The exported columns in order."""
    return [*OWN_COLUMNS, *(f"field.{name}" if name in OWN_COLUMNS else name for name in fields)]


def _values(record: Record, fields: Sequence[str]) -> list[Any]:
    observed = record.observed_at.isoformat() if record.observed_at else None
    own = [record.external_id, record.kind, record.source, observed]
    marks = [record.is_current, record.content_hash]
    return [*own, *marks, *(record.fields.get(name) for name in fields)]


def _csv(records: Iterable[Record], fields: Sequence[str]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(column_names(fields))
    for number, record in enumerate(records, start=1):
        writer.writerow(_values(record, fields))
        if number % 500 == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _jsonl(records: Iterable[Record], fields: Sequence[str]) -> Iterator[bytes]:
    names = column_names(fields)
    for record in records:
        row = dict(zip(names, _values(record, fields), strict=True))
        yield (json.dumps(row, ensure_ascii=False) + "\n").encode()


def _parquet(records: Iterable[Record], fields: Sequence[str]) -> Iterator[bytes]:
    schema = pa.schema([(name, pa.string()) for name in column_names(fields)])
    buffer = io.BytesIO()
    rows = iter(records)
    with pq.ParquetWriter(buffer, schema) as writer:
        while group := list(islice(rows, ROWS_PER_GROUP)):
            columns = zip(*(_values(record, fields) for record in group), strict=True)
            arrays = [pa.array([_text(value) for value in column]) for column in columns]
            arrays = [array.cast(pa.string()) for array in arrays]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield from _taken(buffer)
    yield from _taken(buffer)


def _taken(buffer: io.BytesIO) -> Iterator[bytes]:
    """What the buffer holds; the writer goes on counting its bytes from where it was."""
    yield buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


_EXPORTERS: dict[ExportFormat, Callable[[Iterable[Record], Sequence[str]], Iterator[bytes]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}
