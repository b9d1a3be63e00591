"""Annotators, annotation revisions and raw webhook events."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, UtcDateTime, row_id


class Annotator(SQLModel, table=True):
    """A person who answers in Label Studio; kept even if deleted there."""

    id: int = row_id()
    label_studio_user_id: int = Field(unique=True)
    email: str | None = None
    name: str | None = None
    is_simulated: bool = Field(default=False, description="a program of the demo, no person")
    created_at: datetime = Field(sa_type=UtcDateTime)


class Annotation(SQLModel, table=True):
    """One revision of one annotation; rows are only ever added.

    ``identity`` is ``updated_at`` of the revision in Label Studio, or says what became of it.
    The revision that counts is the latest by (``revised_at``, ``revision``): one that
    arrives late is kept as history.
    """

    __table_args__ = (
        UniqueConstraint("project_id", "label_studio_annotation_id", "revision"),
        UniqueConstraint("project_id", "label_studio_annotation_id", "identity"),
        Index("ix_annotation_task", "task_id"),
        Index("ix_annotation_annotator", "annotator_id", "task_id"),
    )

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    task_id: int = Field(foreign_key="task.id", sa_type=RowId)
    annotator_id: int | None = Field(default=None, foreign_key="annotator.id", sa_type=RowId)
    updated_by_id: int | None = Field(default=None, foreign_key="annotator.id", sa_type=RowId)
    label_studio_annotation_id: int
    revision: int = Field(ge=1)
    identity: str = Field(max_length=64)
    is_deleted: bool = False
    was_cancelled: bool = False
    ground_truth: bool = False
    grade: str | None = None
    issues: list[str] = Field(default_factory=list, sa_type=Json)
    faulty_fields: list[str] = Field(default_factory=list, sa_type=Json)
    corrected_values: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    rationale: str | None = None
    problems: list[str] = Field(
        default_factory=list, sa_type=Json, description="what does not fit the label schema"
    )
    origins: dict[str, str] = Field(
        default_factory=dict, sa_type=Json, description="control to manual, prediction, …"
    )
    prediction_snapshot: dict[str, Any] | None = Field(default=None, sa_type=Json)
    result: Any = Field(default=None, sa_type=Json, description="as Label Studio holds it")
    lead_time: float | None = Field(default=None, description="seconds")
    annotated_at: datetime = Field(sa_type=UtcDateTime)
    revised_at: datetime = Field(sa_type=UtcDateTime)
    via: str = Field(max_length=10, description="webhook or sync")
    received_at: datetime = Field(sa_type=UtcDateTime)


class WebhookEvent(SQLModel, table=True):
    """A webhook body as it came in, and what became of it."""

    __tablename__ = "webhook_event"

    id: int = row_id()
    project_id: int | None = Field(default=None, foreign_key="project.id", sa_type=RowId)
    action: str | None = Field(default=None, max_length=100)
    body: str
    status: str = Field(
        default="received", max_length=20, index=True, description="received, applied, ignored"
    )
    note: str | None = None
    received_at: datetime = Field(sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
