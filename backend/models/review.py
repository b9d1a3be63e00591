"""What people's answers amount to: consensus labels, review cases, decisions, guidelines."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, UtcDateTime, row_id


class ConsensusLabel(SQLModel, table=True):
    """What the answers to one record say together, as of ``computed_at``.

    Derived: computed anew from the revisions that count. A tie has no grade.
    """

    __tablename__ = "consensus_label"

    task_id: int = Field(primary_key=True, foreign_key="task.id", sa_type=RowId)
    project_id: int = Field(foreign_key="project.id", sa_type=RowId, index=True)
    grade: str | None = Field(default=None, description="empty: a tie, or nobody gave a grade")
    confidence: float | None = Field(default=None, description="probability of the grade")
    probabilities: dict[str, float] = Field(
        default_factory=dict, sa_type=Json, description="of each grade"
    )
    issues: dict[str, float] = Field(
        default_factory=dict, sa_type=Json, description="probability of each issue"
    )
    faulty_fields: dict[str, float] = Field(
        default_factory=dict, sa_type=Json, description="probability that each field is faulty"
    )
    votes: int = Field(description="annotators who gave a grade")
    skips: int = Field(default=0, description="annotators who skipped")
    is_complete: bool = Field(description="as many answered or skipped as are wanted")
    method: str = Field(max_length=30, description="how the grade was computed")
    fingerprint: str = Field(max_length=64, description="of the answers and the method")
    answers_wanted: int | None = Field(
        default=None, description="``Task.annotators_wanted`` that ``is_complete`` goes by"
    )
    computed_at: datetime = Field(sa_type=UtcDateTime)


class ConsensusState(SQLModel, table=True):
    """Up to where a project's consensus labels and cases are, and what they are computed by.

    Who writes labels or cases raises ``version`` from the one that was read, so of two who
    computed at the same time the second starts again.
    """

    __tablename__ = "consensus_state"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=RowId)
    version: int = Field(default=1)
    marks: dict[str, Any] | None = Field(
        default=None,
        sa_type=Json,
        description="of what labels and cases follow from, see consensus.marks; empty: every "
        "record is to be looked at",
    )
    model: dict[str, Any] | None = Field(
        default=None, sa_type=Json, description="``ConsensusModel.to_json``"
    )
    fitted: dict[str, Any] | None = Field(
        default=None, sa_type=Json, description="the marks when the model was fitted"
    )


class ReviewCase(SQLModel, table=True):
    """One record on the review desk. ``version`` grows with every change of the case."""

    __tablename__ = "review_case"
    __table_args__ = (
        UniqueConstraint("task_id"),
        Index("ix_review_case_queue", "project_id", "state", "priority", "id", "task_id"),
        Index("ix_review_case_kind", "project_id", "kind", "state"),
    )

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    task_id: int = Field(foreign_key="task.id", sa_type=RowId)
    kind: str = Field(default="", max_length=50, description="of the record")
    state: str = Field(
        max_length=20, description="open, sent_back, decided, ambiguous or settled (by new answers)"
    )
    reasons: list[dict[str, Any]] = Field(
        default_factory=list, sa_type=Json, description="code, weight and words of each reason"
    )
    reason: str = Field(default="", max_length=30, description="code of the weightiest reason")
    priority: float = Field(default=0.0, description="expected value of a decision, 0 to 1")
    decision_id: int | None = Field(
        default=None, sa_type=RowId, description="the decision that stands"
    )
    version: int = Field(default=1)
    fingerprint: str = Field(
        default="", max_length=64, description="of what the reasons follow from"
    )
    opened_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class CaseReason(SQLModel, table=True):
    """One reason of one case, with the case's own state: what the queue is filtered by."""

    __tablename__ = "case_reason"
    __table_args__ = (Index("ix_case_reason_code", "project_id", "state", "code", "case_id"),)

    case_id: int = Field(primary_key=True, foreign_key="review_case.id", sa_type=RowId)
    project_id: int = Field(sa_type=RowId)
    state: str = Field(max_length=20)
    code: str = Field(primary_key=True, max_length=80, description="tie, issue:duplicate, …")


class SentCase(SQLModel, table=True):
    """Somebody has sent a record's label to the desk; a case has to be there until it is decided.

    Each sending is a row: one after the decision opens the case again.
    """

    __tablename__ = "sent_case"
    __table_args__ = (UniqueConstraint("task_id", "sending"),)

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId, index=True)
    task_id: int = Field(foreign_key="task.id", sa_type=RowId, description="the record's first")
    sending: str = Field(max_length=64, description="the same for what was sent by one click")
    author: str = Field(max_length=320)
    sent_at: datetime = Field(sa_type=UtcDateTime)


class Decision(SQLModel, table=True):
    """What a person decided on a case; rows are only ever added."""

    __table_args__ = (Index("ix_decision_case", "case_id", "id"),)

    id: int = row_id()
    case_id: int = Field(foreign_key="review_case.id", sa_type=RowId)
    action: str = Field(
        max_length=20, description="decide, ambiguous, send_back, reopen, undo or note"
    )
    grade: str | None = None
    issues: list[str] = Field(default_factory=list, sa_type=Json)
    faulty_fields: list[str] = Field(default_factory=list, sa_type=Json)
    corrected_values: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    soft_label: dict[str, float] = Field(
        default_factory=dict, sa_type=Json, description="probability of each grade, if ambiguous"
    )
    reason: str = Field(default="", description="why, in the author's words")
    rule: str | None = Field(
        default=None, max_length=100, description="the guideline's rule that is unclear"
    )
    assignee_id: int | None = Field(
        default=None, foreign_key="annotator.id", sa_type=RowId, description="whom it went back to"
    )
    author: str = Field(max_length=320)
    bulk_id: str | None = Field(default=None, max_length=36, index=True)
    undoes_id: int | None = Field(default=None, sa_type=RowId, description="the decision undone")
    case_version: int = Field(description="of the case that the author saw")
    seen: list[str] = Field(
        default_factory=list,
        sa_type=Json,
        description="what the case's reasons were about: the record's newer version, answers that "
        "do not fit the schema; anything else reopens the case",
    )
    created_at: datetime = Field(sa_type=UtcDateTime)


class Guideline(SQLModel, table=True):
    """One version of a project's labelling guideline; rows are only ever added."""

    __table_args__ = (UniqueConstraint("project_id", "version"),)

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    version: int = Field(ge=1)
    text: str = Field(default="", description="English, Markdown")
    text_zh: str = Field(default="", description="Chinese, Markdown")
    rules: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_type=Json,
        description="name, the issue or grade it is about, text and text_zh of each rule",
    )
    change: str = Field(default="", description="what is new and why")
    author: str = Field(max_length=320)
    created_at: datetime = Field(sa_type=UtcDateTime)
    published_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="of those published, the last one counts"
    )


class WorkReport(SQLModel, table=True):
    """How far a project's annotators agree and how well each works, as of ``computed_at``.

    Derived: computed anew when ``fingerprint`` is not of the answers that there are now.
    """

    __tablename__ = "work_report"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=RowId)
    fingerprint: str = Field(
        max_length=64, description="of the answers, decisions and settings it was computed from"
    )
    content: dict[str, Any] = Field(sa_type=Json, description="see agreement.schemas")
    computed_at: datetime = Field(sa_type=UtcDateTime)
