"""What the classifier concludes about records and labels: machine labels and findings."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, StoredText, UtcDateTime, row_id


class Acceptance(SQLModel, table=True):
    """One decision about accepting a model version's own answers; rows are only ever added.

    ``accepted`` labels its records by machine until the next ``accepted`` row replaces it or a
    ``withdrawn`` row takes its labels back; ``refused`` says why a model version labels none.
    While its labels are being written a row is ``preparing``, and counts for nothing.
    """

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId, index=True)
    model_version_id: int = Field(foreign_key="model_version.id", sa_type=RowId)
    state: str = Field(max_length=20, description="preparing, accepted, refused or withdrawn")
    target_error: float = Field(description="share of wrong machine labels that is promised")
    delta: float = Field(description="probability with which the promise may be broken")
    threshold: float | None = Field(default=None, description="confidence from which it holds")
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    records: int = Field(default=0, description="records labelled by machine")
    reason: str = Field(sa_type=StoredText)
    created_at: datetime = Field(sa_type=UtcDateTime)


class MachineLabel(SQLModel, table=True):
    """A grade that no person gave: the champion's own, accepted under a promise."""

    __tablename__ = "machine_label"
    __table_args__ = (UniqueConstraint("acceptance_id", "record_id"),)

    id: int = row_id()
    acceptance_id: int = Field(foreign_key="acceptance.id", sa_type=RowId)
    record_id: int = Field(foreign_key="record.id", sa_type=RowId, index=True)
    grade: str
    confidence: float
    is_audited: bool = Field(description="drawn at random to be checked by a person")


class LabelFinding(SQLModel, table=True):
    """What a model version's training says about one label that people gave."""

    __tablename__ = "label_finding"
    __table_args__ = (
        UniqueConstraint("model_version_id", "task_id"),
        Index("ix_label_finding_order", "model_version_id", "suspicion"),
    )

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    model_version_id: int = Field(foreign_key="model_version.id", sa_type=RowId)
    task_id: int = Field(foreign_key="task.id", sa_type=RowId)
    grade: str = Field(description="as people gave it")
    suggested: str = Field(description="most probable grade by a classifier that did not see it")
    grade_probabilities: dict[str, float] = Field(
        default_factory=dict,
        sa_type=Json,
        description="by a classifier that did not see the label; empty where that is not known",
    )
    suspicion: float = Field(
        description="probability that the label is wrong: the desk's wherever it has one"
    )
    is_suspect: bool
    value: float = Field(
        description="0, the most suspect label, to 1, the least; 0 and without meaning for audit"
    )
    value_group: str = Field(
        max_length=20,
        description="important, redundant or harmful; audit: nothing is learnt from the label",
    )
    relabel_score: float = Field(description="larger where one more annotator would help more")
    reason: str = Field(sa_type=StoredText)
