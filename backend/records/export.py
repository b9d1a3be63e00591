"""Records as CSV, JSONL or Parquet, a page in memory at a time."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import pyarrow as pa

from backend.core.tabular import csv_pieces, json_lines, parquet_pieces
from backend.models import Record
from backend.records.export_columns import column_names

ExportFormat = Literal["csv", "jsonl", "parquet"]
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
    a byte order mark (spreadsheets need it); what a spreadsheet would run as a formula has an
    apostrophe before it, which an import takes away again. In Parquet every column is text,
    values that are not text as JSON.
    """
    names = column_names(fields)
    rows = (_values(record, fields) for record in records)
    if export_format == "csv":
        return csv_pieces(names, rows)
    if export_format == "jsonl":
        return json_lines(dict(zip(names, row, strict=True)) for row in rows)
    schema = pa.schema([(name, pa.string()) for name in names])
    return parquet_pieces(schema, ([_text(value) for value in row] for row in rows))


def _values(record: Record, fields: Sequence[str]) -> list[Any]:
    observed = record.observed_at.isoformat() if record.observed_at else None
    own = [record.external_id, record.kind, record.source, observed]
    marks = [record.is_current, record.content_hash]
    return [*own, *marks, *(record.fields.get(name) for name in fields)]


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
