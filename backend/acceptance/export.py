"""Machine labels as CSV or JSONL, a page in memory at a time."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from backend.acceptance.schemas import MachineLabelExport
from backend.core.exceptions import InvalidInput

MachineLabelFormat = Literal["csv", "jsonl"]
MEDIA_TYPES: dict[MachineLabelFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}
COLUMNS = (
    "external_id",
    "grade",
    "labelled_by",
    "model_version",
    "confidence",
    "target_error",
    "certainty",
    "audits",
    "is_audited",
)
LINES_PER_PIECE = 500


def export(
    labels: Iterable[MachineLabelExport], label_format: MachineLabelFormat
) -> Iterator[bytes]:
    """The file's bytes, piece by piece; CSV is UTF-8 with a byte order mark."""
    return _csv(labels) if label_format == "csv" else _jsonl(labels)


def format_of(file: Path) -> MachineLabelFormat:
    """The format that the file's name asks for.

    Raises:
        InvalidInput: it ends neither in .csv nor in .jsonl.
    """
    match file.suffix.lower():
        case ".csv":
            return "csv"
        case ".jsonl":
            return "jsonl"
    raise InvalidInput(
        f"Machine labels are not written as {file.suffix or 'a file without ending'!r}.",
        field="file",
        value=str(file),
        remedy="Name the file .csv or .jsonl.",
    )


def _csv(labels: Iterable[MachineLabelExport]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(COLUMNS)
    for number, label in enumerate(labels, start=1):
        row = label.model_dump(mode="json")
        writer.writerow([row[name] for name in COLUMNS])
        if number % LINES_PER_PIECE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _jsonl(labels: Iterable[MachineLabelExport]) -> Iterator[bytes]:
    columns = set(COLUMNS)
    for label in labels:
        yield (label.model_dump_json(include=columns) + "\n").encode()
