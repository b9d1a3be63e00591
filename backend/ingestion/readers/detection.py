"""Which format a file has: by its first bytes, then by its suffix."""

from pathlib import Path

from backend.core.exceptions import UnreadableSource
from backend.ingestion.schemas import SourceFormat
from backend.words import N_, Message

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
    b"PK\x03\x04": (N_("a ZIP file (perhaps an Excel workbook)"), N_("Save the sheet as CSV.")),
    b"\xd0\xcf\x11\xe0": (N_("an old Excel workbook"), N_("Save the sheet as CSV.")),
    b"SQLite format 3": (N_("an SQLite database"), N_("Give --url sqlite:///FILE --table TABLE.")),
    b"%PDF": (N_("a PDF"), N_("Give the data as CSV, JSONL or Parquet.")),
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
                Message("{path} is {what}.", path=path, what=Message(name)),
                field="path",
                value=str(path),
                remedy=Message(remedy),
            )
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    found = SUFFIXES.get(plain.suffix.lower())
    if found is None:
        raise UnreadableSource(
            Message("The name of {path} does not tell its format.", path=path),
            field="path",
            value=str(path),
            remedy=Message("Say it: --format csv, jsonl or parquet."),
        )
    return found
