"""Tables as bytes, piece by piece: CSV, JSON lines and Parquet in constant memory."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from backend.core.tabular_cells import safe_text

if TYPE_CHECKING:
    import pyarrow as pa

LINES_PER_PIECE = 500
"""Chosen: a piece is small beside what a connection holds."""
ROWS_PER_GROUP = 10_000
"""Chosen: bounds memory while a Parquet file is written."""
BYTE_ORDER_MARK = "\ufeff"


def csv_pieces(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, has_mark: bool = True
) -> Iterator[bytes]:
    """The table as CSV, in UTF-8; no cell is run as a formula by a spreadsheet.

    Args:
        header: names of the columns.
        rows: values in the order of the columns; lists and mappings are written as JSON.
        has_mark: begin with a byte order mark, which Excel needs to see that it is UTF-8.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if has_mark:
        buffer.write(BYTE_ORDER_MARK)
    writer.writerow([safe_text(name) for name in header])
    for number, row in enumerate(rows, start=1):
        writer.writerow([_cell(value) for value in row])
        if number % LINES_PER_PIECE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, Mapping | list | tuple):
        return as_json(value)
    return safe_text(value) if isinstance(value, str) else value


def as_json(value: object) -> str:
    """``value`` as JSON on one line; times are ISO 8601."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def json_lines(objects: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """One JSON object a line, in UTF-8."""
    lines = iter(objects)
    while part := list(islice(lines, LINES_PER_PIECE)):
        yield "".join(f"{as_json(each)}\n" for each in part).encode()


def parquet_pieces(schema: "pa.Schema", rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The table as Parquet, a row group of 10,000 rows in memory at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    rest = iter(rows)
    with pq.ParquetWriter(buffer, schema) as writer:
        while group := list(islice(rest, ROWS_PER_GROUP)):
            columns = zip(*group, strict=True)
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield _take(buffer)
    yield _take(buffer)


def _take(buffer: io.BytesIO) -> bytes:
    """What the buffer holds; the writer goes on counting its bytes from where it was."""
    held = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return held
