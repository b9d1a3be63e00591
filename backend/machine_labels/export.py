"""Machine labels as CSV or JSONL, a page in memory at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from backend.core.exceptions import InvalidInput
from backend.core.tabular import csv_pieces
from backend.machine_labels.schemas import MachineLabelExport
from backend.words import Message

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


def export(
    labels: Iterable[MachineLabelExport], label_format: MachineLabelFormat
) -> Iterator[bytes]:
    """The file's bytes, piece by piece; CSV is UTF-8 with a byte order mark.

    No cell of the CSV is run as a formula by a spreadsheet.
    """
    if label_format == "csv":
        return csv_pieces(COLUMNS, map(_cells, labels))
    columns = set(COLUMNS)
    return ((label.model_dump_json(include=columns) + "\n").encode() for label in labels)


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
        Message(
            "Machine labels are not written as {suffix!r}.",
            suffix=file.suffix or "a file without ending",
        ),
        field="file",
        value=str(file),
        remedy=Message("Name the file .csv or .jsonl."),
    )


def _cells(label: MachineLabelExport) -> list[object]:
    row = label.model_dump(mode="json")
    return [row[name] for name in COLUMNS]
