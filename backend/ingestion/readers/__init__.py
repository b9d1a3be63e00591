"""Readers: one per format, each yields (line, row) pairs in constant memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.base import OnReject, Reader, Row, ignore_reject
from backend.ingestion.readers.csv_file import CsvReader
from backend.ingestion.readers.detection import detect_format
from backend.ingestion.readers.jsonl_file import JsonlReader
from backend.ingestion.readers.parquet_file import ParquetReader
from backend.ingestion.readers.sql_table import SqlTableReader
from backend.ingestion.schemas import ImportRequest, SourceFormat
from backend.words import Message

__all__ = ["OnReject", "Reader", "Row", "open_reader", "open_request"]


@contextmanager
def open_reader(
    path: Path,
    *,
    source_format: SourceFormat | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    on_reject: OnReject = ignore_reject,
) -> Iterator[Reader]:
    """A reader of the file, closed when the block ends; ``on_reject`` gets malformed lines.

    Raises:
        UnreadableSource: no such file, or not what it claims to be; names what and where.
    """
    reader: Reader
    try:
        match source_format or detect_format(path):
            case "csv":
                reader = CsvReader(path, encoding, delimiter, on_reject)
            case "jsonl":
                reader = JsonlReader(path, encoding, on_reject)
            case "parquet":
                reader = ParquetReader(path)
            case "sql":
                raise UnreadableSource(
                    Message("An SQL table is read by its database URL, not from a file."),
                    field="format",
                    value="sql",
                    remedy=Message("Give --url URL --table TABLE."),
                )
    except OSError as error:
        raise UnreadableSource(
            Message(
                "{path} cannot be read: {strerror}.", path=path, strerror=error.strerror or error
            ),
            field="path",
            value=str(path),
            remedy=Message("Check the path and its permissions."),
        ) from error
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def open_request(request: ImportRequest, on_reject: OnReject = ignore_reject) -> Iterator[Reader]:
    """The reader of the request's file or table.

    Raises:
        UnreadableSource: it cannot be read.
    """
    if request.path is not None:
        with open_reader(
            request.path,
            source_format=request.format,
            encoding=request.encoding,
            delimiter=request.delimiter,
            on_reject=on_reject,
        ) as reader:
            yield reader
        return
    assert request.url is not None
    assert request.table is not None
    table = SqlTableReader(request.url, request.table)
    try:
        yield table
    finally:
        table.close()
