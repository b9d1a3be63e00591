"""What is exported, how each row looks, and what came of an import of labels."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from backend.ingestion.schemas import Reject

What = Literal["best", "gold", "consensus", "annotations"]
ExportFormat = Literal["jsonl", "csv", "parquet", "huggingface", "label_studio"]
MEDIA_TYPES: dict[str, str] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "label_studio": "application/json",
    "zip": "application/zip",
}
SUFFIXES: dict[str, str] = {
    "jsonl": "jsonl",
    "csv": "csv",
    "parquet": "parquet",
    "label_studio": "json",
}
IMPORT_LABELS = "exchange.import_labels"
MAX_LISTED_REJECTS = 100
"""Chosen: an answer stays small; all rejects are counted."""


def _empty_as_none(value: object) -> object:
    """Forms send empty fields; they ask for nothing."""
    return None if value == "" else value


Blank = BeforeValidator(_empty_as_none)


def _refuse_numbers(value: object) -> object:
    """A bare number is no time, though pydantic would count seconds from 1970."""
    if isinstance(value, str) and value.replace(".", "").lstrip("+-").isdecimal():
        raise ValueError("write a date, or a date and a time, such as 2026-05-01T08:00:00Z")
    return value


def _may_be_empty(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [*schema["anyOf"], {"const": ""}]


def _may_be_a_day(schema: dict[str, Any]) -> None:
    _may_be_empty(schema)
    schema["anyOf"].insert(1, {"type": "string", "format": "date"})


class ExportRequest(BaseModel):
    """Which labels, in which form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: What = Field(
        "best",
        description="gold: decided by people on the review desk; consensus: what the answers "
        "amount to; best: gold where there is, else consensus; annotations: each answer",
    )
    format: ExportFormat = "jsonl"
    since: Annotated[datetime | None, Blank, BeforeValidator(_refuse_numbers)] = Field(
        None,
        description="labels made or changed at or after that time (UTC if it has no zone)",
        json_schema_extra=_may_be_a_day,
    )
    kind: Annotated[str | None, Blank] = Field(None, description="records of that kind")
    grade: Annotated[str | None, Blank] = Field(None, description="labels with that grade")
    audit_only: bool = Field(False, description="records that were drawn at random")
    min_confidence: Annotated[float | None, Blank] = Field(
        None,
        ge=0.0,
        le=1.0,
        description="consensus labels at least as probable; gold stays",
        json_schema_extra=_may_be_empty,
    )
    pseudonyms: bool = Field(False, description="people as annotator-1, reviewer-1")
    byte_order_mark: bool = Field(True, description="in CSV, so that Excel reads it as UTF-8")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One record with its label and where that comes from.

    ``grade`` is empty where the answers tie or a person called the record ambiguous; the latter
    has its ``soft_label``. ``content_hash`` is of the record as it was labelled,
    ``current_content_hash`` of what it is now.
    """

    external_id: str
    kind: str
    label_from: str  # gold, ambiguous or consensus
    grade: str | None
    issues: list[str]
    faulty_fields: list[str]
    corrected_values: dict[str, str]
    soft_label: dict[str, float]
    confidence: float | None
    issue_probabilities: dict[str, float]
    field_probabilities: dict[str, float]
    votes: int
    skips: int
    is_complete: bool
    is_audit: bool
    dataset: str
    source: str
    observed_at: datetime | None
    content_hash: str
    current_content_hash: str | None
    task_ids: list[int]
    label_studio_task_ids: list[int]
    annotation_ids: list[int]
    annotators: list[str]
    answers: list[dict[str, Any]]
    consensus_method: str | None
    consensus_fingerprint: str | None
    consensus_at: datetime | None
    decision_id: int | None
    decision_author: str | None
    decision_reason: str | None
    decided_at: datetime | None
    guideline_version: int | None
    model_version_shown: str | None
    exported_at: datetime
    assay_version: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """One person's present answer to one task, skips included, deleted ones not."""

    external_id: str
    kind: str
    annotation_id: int
    revision: int
    annotator: str | None
    grade: str | None
    issues: list[str]
    faulty_fields: list[str]
    corrected_values: dict[str, str]
    rationale: str | None
    was_cancelled: bool
    ground_truth: bool
    problems: list[str]
    origins: dict[str, str]
    lead_time: float | None
    result: Any  # as Label Studio holds it
    annotated_at: datetime
    revised_at: datetime
    received_by: str
    task_id: int
    label_studio_task_id: int | None
    purpose: str
    attempt: int
    is_audit: bool
    dataset: str
    source: str
    observed_at: datetime | None
    content_hash: str
    current_content_hash: str | None
    guideline_version: int | None
    model_version_shown: str | None
    exported_at: datetime
    assay_version: str
    fields: dict[str, Any]


class ExportedFile(BaseModel):
    """One file of an export."""

    name: str
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What an export holds and how it was asked for."""

    project: str
    dataset: str
    request: ExportRequest = Field(description="filters and form")
    rows: int
    counts: dict[str, int] = Field(description="rows by where the label comes from")
    grades: dict[str, int] = Field(description="rows by grade; '' for those without")
    changed_records: int = Field(description="rows whose record was changed after labelling")
    exported_at: datetime
    assay_version: str
    files: list[ExportedFile]


class LabelImportReport(BaseModel):
    """What became of a Label Studio export."""

    import_id: int | None = Field(description="its rejects: GET /api/v1/imports/{id}/rejects")
    project_id: int | None
    project: str
    dataset: str
    is_dry_run: bool
    tasks_read: int = 0
    records_new: int = 0
    records_changed: int = Field(0, description="kept as history: what is current stays current")
    records_unchanged: int = 0
    tasks_new: int = 0
    annotations_read: int = 0
    annotations_new: int = 0
    annotations_updated: int = 0
    annotations_unchanged: int = 0
    rejected: int = 0
    rejects: list[Reject] = Field(
        default_factory=list,
        description=f"the first {MAX_LISTED_REJECTS}; line is the task's place",
    )


class QueuedLabelImport(BaseModel):
    """The job that imports the upload; its result is the report."""

    job_id: str
