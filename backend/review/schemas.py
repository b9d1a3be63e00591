"""Review cases and decisions as the API, the pages and the command line show them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from backend.core.request_body import RequestBody, RowNumber
from backend.words import WithReason

CaseState = Literal["open", "sent_back", "decided", "ambiguous", "settled"]
Action = Literal["decide", "ambiguous", "send_back", "reopen", "undo", "note"]
BulkAction = Literal["accept_consensus", "accept_model", "send_back", "ambiguous"]


CaseNumber = Annotated[int, Field(strict=False)]
"""An id as JSON's names hold it: in a text."""
CASE_NUMBERS: JsonDict = {"propertyNames": {"pattern": "^[0-9]{1,15}$"}}


class CaseFilter(RequestBody):
    """Which cases; empty settings do not filter."""

    model_config = ConfigDict(frozen=True)

    state: CaseState | None = Field("open", description="empty: all")
    reason: str | None = Field(
        None,
        description="code of a reason, such as tie, model_conflict or issue:duplicate; "
        "`issue:` and `field:` mean any of them",
        examples=["tie"],
    )
    kind: str | None = Field(None, description="kind of record", examples=["product"])
    annotator: RowNumber | None = Field(None, description="answered by this annotator")
    search: str | None = Field(None, description="start of the record's external id")


class ReviewReasonPublic(WithReason):
    """Why a case is there."""

    code: str = Field(examples=["tie"])
    weight: float = Field(description="estimated probability that the label is wrong")


class CaseSummary(BaseModel):
    """A case as a row of the queue."""

    id: int
    task_id: int
    record_id: int
    external_id: str
    kind: str
    fields: dict[str, Any]
    state: CaseState
    priority: float
    grounds: list[ReviewReasonPublic]
    grade: str | None = Field(description="consensus; empty where it ties")
    confidence: float | None
    votes: int
    version: int = Field(description="send it with a decision: it must still be this")
    changed_at: datetime


class CasePage(BaseModel):
    """Some cases, the most valuable first."""

    total: int
    next_offset: int | None
    items: list[CaseSummary]


class CaseAnswerPublic(BaseModel):
    """One annotator's answer, and what it was before."""

    annotation_id: int
    annotator_id: int | None
    annotator: str
    is_deleted_annotator: bool = Field(description="no longer known to Label Studio")
    grade: str | None
    issues: list[str]
    faulty_fields: list[str]
    corrected_values: dict[str, str]
    rationale: str | None
    origins: dict[str, str] = Field(description="by question: manual, prediction, …")
    was_skipped: bool
    problems: list[str]
    lead_time: float | None = Field(description="seconds")
    answered_at: datetime
    revisions: int
    edited_by: str | None = Field(description="somebody else who changed the answer last")
    is_copy: bool = Field(description="answered when the record was sent back")
    is_imported: bool = Field(description="given in another Label Studio and imported")


class ModelView(BaseModel):
    """What the classifier said before anyone answered."""

    model_version: int
    grade: str
    score: float
    grade_probabilities: dict[str, float]
    issue_probabilities: dict[str, float]
    field_probabilities: dict[str, float]
    explanation: list[dict[str, Any]]


class SimilarCase(BaseModel):
    """A decided case whose record resembles this one."""

    case_id: int
    external_id: str
    similarity: float = Field(description="cosine of character n-grams, 0 to 1")
    grade: str | None
    issues: list[str]
    reason: str


class DecisionPublic(BaseModel):
    """One row of a case's history."""

    id: int
    action: Action
    grade: str | None
    issues: list[str]
    faulty_fields: list[str]
    corrected_values: dict[str, str]
    soft_label: dict[str, float]
    reason: str
    rule: str | None
    assignee: str | None
    author: str
    bulk_id: str | None
    undoes_id: int | None
    created_at: datetime


class LastDecision(BaseModel):
    """A decision just made, as it is told on the page that comes next."""

    decision_id: int
    case_id: int
    external_id: str
    can_be_undone: bool


class CasePublic(CaseSummary):
    """Everything about a case."""

    project_id: int
    is_current_record: bool
    current_fields: dict[str, Any] | None = Field(description="of the newer version, if any")
    probabilities: dict[str, float]
    issues: dict[str, float]
    faulty_fields: dict[str, float]
    method: str | None
    answers: list[CaseAnswerPublic]
    model_view: ModelView | None
    decision: DecisionPublic | None = Field(description="the one that stands")
    history: list[DecisionPublic]
    similar: list[SimilarCase]
    waits_for: str | None = Field(description="whom it was sent back to")
    previous_id: int | None
    next_id: int | None


class DecisionRequest(RequestBody):
    """A decision on a case that the author has in front of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 3,
                    "action": "decide",
                    "grade": "poor",
                    "issues": ["duplicate"],
                    "faulty_fields": ["brand"],
                    "corrected_values": {"brand": "Apex"},
                    "reason": "Same product as SKU-77, brand misspelt.",
                }
            ]
        }
    )

    version: RowNumber = Field(description="of the case as it was read")
    action: Literal["decide", "ambiguous", "send_back", "reopen", "note"]
    grade: str | None = None
    issues: list[str] = Field(default_factory=list)
    faulty_fields: list[str] = Field(default_factory=list)
    corrected_values: dict[str, str] = Field(default_factory=dict)
    soft_label: dict[str, float] | None = Field(
        None, description="probability of each grade; empty: as the answers say"
    )
    assignee_id: RowNumber | None = Field(
        None, description="annotator to send it back to; empty: anybody who has not answered"
    )
    rule: str | None = Field(None, max_length=100, description="guideline rule that is unclear")
    reason: str = Field("", max_length=4_000)


class BulkRequest(RequestBody):
    """One action on many cases."""

    action: BulkAction
    filter: CaseFilter = CaseFilter()
    case_versions: dict[CaseNumber, RowNumber] | None = Field(
        None,
        description="case id to version, as the preview told; needed to apply",
        json_schema_extra=CASE_NUMBERS,
    )
    limit: int = Field(1_000, ge=1, le=10_000)
    rule: str | None = Field(None, max_length=100)
    reason: str = Field("", max_length=4_000)


class BulkConfirmation(BulkRequest):
    """The same action on the cases that its preview told."""

    case_versions: dict[CaseNumber, RowNumber] = Field(
        min_length=1,
        description="case id to version, as the preview told",
        json_schema_extra=CASE_NUMBERS,
    )


class BulkPreview(BaseModel):
    """What a bulk action would do; nothing has been done."""

    total: int = Field(description="cases that fit the filter")
    applicable: int
    outcomes: dict[str, int] = Field(description="grade, or what happens, to number of cases")
    refused: dict[str, int] = Field(description="why not, to number of cases")
    case_versions: dict[int, int] = Field(description="send these back to apply")
    sample: list[CaseSummary]


class BulkResult(BaseModel):
    """What a bulk action did."""

    bulk_id: str = Field(description="undo it by this")
    decided: int
    conflicts: list[int] = Field(description="cases that somebody changed meanwhile: left alone")
    refused: dict[str, int]


class BulkSummary(BaseModel):
    """A bulk action that was done."""

    bulk_id: str
    action: Action
    author: str
    cases: int
    undone: int = Field(description="of these cases, taken back since")


class UndoResult(BaseModel):
    """What an undo did."""

    undone: int
    conflicts: list[int] = Field(description="cases decided again since: left alone")
