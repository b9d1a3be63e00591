"""Rows out of whatever holds them: pandas, polars, Hugging Face datasets, dictionaries."""

import datetime
import decimal
import gzip
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from assay_client.exceptions import RowsUnreadable

Rows = Any
"""A ``pandas.DataFrame``, ``polars.DataFrame`` or ``LazyFrame``, ``datasets.Dataset``, or any
iterable of mappings; a protocol would have to name classes of packages that may not be there."""
IN_MEMORY_BYTES = 16 * 1024 * 1024
"""Of compressed rows on their way; more goes through a file. Chosen: nobody notices so much."""


def rows_of(data: Rows) -> Iterator[dict[str, Any]]:
    """Each row as a dictionary of JSON values: missing values are None, times ISO 8601.

    Raises:
        RowsUnreadable: ``data`` has no rows, or a row is no mapping.

    >>> list(rows_of([{"sku": 1, "price": float("nan")}]))
    [{'sku': 1, 'price': None}]
    """
    for number, row in enumerate(_mappings(data), start=1):
        if not isinstance(row, Mapping):
            raise RowsUnreadable(
                f"Row {number} is a {type(row).__name__}, not a dictionary. "
                "Give a data frame, a dataset, or dictionaries from field to value."
            )
        yield {str(name): json_value(value) for name, value in row.items()}


def json_value(value: Any) -> Any:
    """The value as JSON has it.

    >>> json_value(datetime.date(2026, 5, 1)), json_value(decimal.Decimal("1.50"))
    ('2026-05-01', '1.50')
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | decimal.Decimal):
        exact = value if isinstance(value, float) else str(value)
        return exact if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): json_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(each) for each in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return json_value(value.tolist())
    return _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        raise RowsUnreadable("A value is bytes; decode it to text first.")
    is_time = isinstance(value, datetime.datetime | datetime.date | datetime.time)
    text = value.isoformat() if is_time else str(value)
    return None if text in ("NaT", "<NA>") else text


@contextmanager
def json_lines(data: Rows) -> Iterator[IO[bytes]]:
    """A compressed file of one JSON object a row, at its beginning; gone afterwards.

    Raises:
        RowsUnreadable: there are no rows.
    """
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        is_empty = True
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=3) as packed:
            for row in rows_of(data):
                packed.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                is_empty = False
        if is_empty:
            raise RowsUnreadable("There are no rows to send.")
        file.seek(0)
        yield file


def _mappings(data: Rows) -> Iterable[Any]:
    package = type(data).__module__.partition(".")[0]
    if package == "polars":
        frame = data.collect() if type(data).__name__ == "LazyFrame" else data
        rows: Iterable[Any] = frame.iter_rows(named=True)
        return rows
    if package == "pandas":
        return _pandas_rows(data)
    if isinstance(data, str | bytes | Mapping) or not isinstance(data, Iterable):
        raise RowsUnreadable(
            f"A {type(data).__name__} has no rows. "
            "Give a data frame, a dataset, or dictionaries from field to value."
        )
    return data  # Hugging Face datasets iterate over dictionaries, too


def _pandas_rows(frame: Any) -> Iterator[dict[str, Any]]:
    if type(frame).__name__ != "DataFrame":
        raise RowsUnreadable(f"A pandas {type(frame).__name__} has no columns; give a DataFrame.")
    names = [str(name) for name in frame.columns]
    for values in frame.itertuples(index=False, name=None):
        yield dict(zip(names, values, strict=True))
