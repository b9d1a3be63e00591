"""Findings about labels as CSV or JSONL, a page in memory at a time."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Literal

from backend.findings.schemas import LabelFindingPublic

FindingFormat = Literal["csv", "jsonl"]
MEDIA_TYPES: dict[FindingFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}
COLUMNS = (
    "external_id",
    "label_studio_task_id",
    "is_audit",
    "grade",
    "suggested",
    "suspicion",
    "is_suspect",
    "value",
    "value_group",
    "relabel_score",
    "reason",
    "reason_zh",
)
LINES_PER_PIECE = 500


def export(findings: Iterable[LabelFindingPublic], form: FindingFormat) -> Iterator[bytes]:
    """The file's bytes, piece by piece; CSV is UTF-8 with a byte order mark."""
    return _csv(findings) if form == "csv" else _jsonl(findings)


def _csv(findings: Iterable[LabelFindingPublic]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([*COLUMNS, "answers"])
    for number, finding in enumerate(findings, start=1):
        row = finding.model_dump(mode="json")
        answers = "; ".join(f"{one.annotator}: {one.grade}" for one in finding.answers)
        writer.writerow([_cell(value) for value in (*(row[name] for name in COLUMNS), answers)])
        if number % LINES_PER_PIECE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _jsonl(findings: Iterable[LabelFindingPublic]) -> Iterator[bytes]:
    for finding in findings:
        yield (finding.model_dump_json() + "\n").encode()


def _cell(value: object) -> object:
    # Spreadsheets would run a text that begins like a formula.
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
