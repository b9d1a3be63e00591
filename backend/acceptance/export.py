"""Machine labels as CSV or JSONL, a page in memory at a time."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Literal

from backend.acceptance.schemas import MachineLabelExport

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
