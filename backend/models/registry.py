"""Model versions and the append-only record of who became champion."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, StoredText, UtcDateTime, row_id


class ModelVersion(SQLModel, table=True):
    """One trained classifier; its bytes are the directory ``artifact``."""

    __tablename__ = "model_version"
    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        UniqueConstraint("project_id", "fingerprint"),
    )

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    number: int = Field(ge=1)
    parent_id: int | None = Field(default=None, foreign_key="model_version.id", sa_type=RowId)
    fingerprint: str = Field(max_length=64, description="SHA-256 of what it learnt from, and how")
    artifact: str = Field(max_length=1000, description="directory below the models directory")
    encoder: str = Field(max_length=300, description="revision of the encoder")
    encoder_folder: str | None = Field(
        default=None,
        max_length=1000,
        description="fine-tuned encoder below the models directory; empty: the settings' own",
    )
    training_labels: int
    audit_labels: int
    metrics: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Promotion(SQLModel, table=True):
    """One decision of the gate or of a person; the champion is the latest that moved it."""

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId, index=True)
    kind: str = Field(max_length=20, description="promoted, kept or rolled_back")
    model_version_id: int = Field(
        foreign_key="model_version.id", sa_type=RowId, description="champion from now on"
    )
    challenger_id: int | None = Field(default=None, foreign_key="model_version.id", sa_type=RowId)
    previous_id: int | None = Field(default=None, foreign_key="model_version.id", sa_type=RowId)
    reason: str = Field(sa_type=StoredText)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    decided_by: str = Field(max_length=200)
    created_at: datetime = Field(sa_type=UtcDateTime)


class AuditSample(SQLModel, table=True):
    """The labels of audit records as they were when the gate decided on a model version."""

    __tablename__ = "audit_sample"

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId, index=True)
    model_version_id: int = Field(foreign_key="model_version.id", sa_type=RowId)
    labels: list[Any] = Field(
        sa_type=Json, description="of each record: task, record, grade, issues (1, 0, -1)"
    )
    created_at: datetime = Field(sa_type=UtcDateTime)


class VersionReport(SQLModel, table=True):
    """What was measured of a model version on an audit sample."""

    __tablename__ = "version_report"

    model_version_id: int = Field(
        primary_key=True,
        foreign_key="model_version.id",
        sa_type=RowId,
        sa_column_kwargs={"autoincrement": False},
    )
    project_id: int = Field(foreign_key="project.id", sa_type=RowId, index=True)
    sample_id: int = Field(foreign_key="audit_sample.id", sa_type=RowId)
    answers: list[str] = Field(sa_type=Json, description="grades, in the order of the sample")
    report: dict[str, Any] | None = Field(
        default=None, sa_type=Json, description="none: the version cannot answer any more"
    )
    measured_at: datetime = Field(sa_type=UtcDateTime)
