"""Which format a file has: by its first bytes, then by its suffix."""

from pathlib import Path

from backend.core.exceptions import UnreadableSource
from backend.ingestion.schemas import SourceFormat

SUFFIXES: dict[str, SourceFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
FOREIGN = {
    b"PK\x03\x04": ("a ZIP file (perhaps an Excel workbook)", "Save the sheet as CSV."),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "Save the sheet as CSV."),
    b"SQLite format 3": ("an SQLite database", "Give --url sqlite:///FILE --table TABLE."),
    b"%PDF": ("a PDF", "Give the data as CSV, JSONL or Parquet."),
}


def detect_format(path: Path) -> SourceFormat:
    """The format of the file.

    Raises:
        UnreadableSource: a known foreign format, or nothing tells what it is.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"PAR1"):
        return "parquet"
    for magic, (name, remedy) in FOREIGN.items():
        if start.startswith(magic):
            raise UnreadableSource(
                f"{path} is {name}.", field="path", value=str(path), remedy=remedy
            )
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    found = SUFFIXES.get(plain.suffix.lower())
    if found is None:
        raise UnreadableSource(
            f"The name of {path} does not tell its format.",
            field="path",
            value=str(path),
            remedy="Say it: --format csv, jsonl or parquet.",
        )
    return found
