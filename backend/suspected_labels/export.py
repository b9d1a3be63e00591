"""Findings about labels as CSV or JSONL, a page in memory at a time."""

from collections.abc import Iterable, Iterator
from typing import Literal

from backend.core.tabular import csv_pieces
from backend.suspected_labels.schemas import LabelFindingPublic

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
)


def export(findings: Iterable[LabelFindingPublic], form: FindingFormat) -> Iterator[bytes]:
    """The file's bytes, piece by piece; CSV is UTF-8 with a byte order mark.

    No cell of the CSV is run as a formula by a spreadsheet.
    """
    if form == "csv":
        return csv_pieces([*COLUMNS, "answers"], map(_cells, findings))
    return ((finding.model_dump_json() + "\n").encode() for finding in findings)


def _cells(finding: LabelFindingPublic) -> list[object]:
    row = finding.model_dump(mode="json")
    answers = "; ".join(f"{one.annotator}: {one.grade}" for one in finding.answers)
    return [*(row[name] for name in COLUMNS), answers]
