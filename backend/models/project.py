"""Projects, their batches and tasks."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, StoredText, UtcDateTime, row_id


class Project(SQLModel, table=True):
    """One labelling effort: a dataset, a label schema, a policy, a Label Studio project."""

    id: int = row_id()
    name: str = Field(unique=True, max_length=50, min_length=3)
    dataset_id: int = Field(foreign_key="dataset.id", sa_type=RowId)
    label_schema: dict[str, Any] = Field(sa_type=Json)
    policy: dict[str, Any] = Field(sa_type=Json, description="LoopPolicy, see projects.schemas")
    label_studio_project_id: int | None = Field(default=None, unique=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class SyncCursor(SQLModel, table=True):
    """How far the reconciling sync of a project has read."""

    __tablename__ = "sync_cursor"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=RowId)
    cursor: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="largest updated_at seen, server's clock"
    )
    synced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    listed_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="last full listing of task ids"
    )
    error: str | None = Field(default=None, sa_type=StoredText)
    unreadable: list[int] = Field(
        default_factory=list,
        sa_type=Json,
        description="Label Studio's ids of the tasks that it could not show; read again each time",
    )


class Batch(SQLModel, table=True):
    """The records chosen in one round of the loop."""

    __table_args__ = (UniqueConstraint("project_id", "round"),)

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    round: int = Field(ge=0, description="0: tasks of labels that were imported")
    strategy: str = Field(max_length=50)
    model_version_id: int | None = Field(
        default=None, foreign_key="model_version.id", sa_type=RowId
    )
    seed: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    pushed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(
        default=None,
        sa_type=UtcDateTime,
        description="when every task was first seen to have its answers",
    )


class Task(SQLModel, table=True):
    """One record to be labelled; ``key`` finds it again in Label Studio.

    A record has one task with ``purpose`` ``label``, and may have copies of it: ``relabel``, whose
    answers count as answers to the first, and ``gold``, hidden checks whose right answer is known.
    """

    __table_args__ = (
        UniqueConstraint("project_id", "record_id", "attempt"),
        UniqueConstraint("project_id", "label_studio_task_id"),
    )

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    record_id: int = Field(foreign_key="record.id", sa_type=RowId)
    batch_id: int = Field(foreign_key="batch.id", sa_type=RowId, index=True)
    key: str = Field(unique=True, max_length=64)
    position: int = Field(description="place in the batch, most useful first")
    is_audit: bool = Field(description="drawn at random: accuracy is estimated on these only")
    acquisition_score: float | None = None
    reason: str = Field(default="", sa_type=StoredText)
    label_studio_task_id: int | None = None
    purpose: str = Field(default="label", max_length=10, description="label, relabel or gold")
    attempt: int = Field(default=1, ge=1, description="numbers the tasks of one record")
    original_id: int | None = Field(
        default=None,
        foreign_key="task.id",
        sa_type=RowId,
        index=True,
        description="the record's first task, for its copies",
    )
    assignee_id: int | None = Field(
        default=None,
        foreign_key="annotator.id",
        sa_type=RowId,
        description="the only annotator who is asked",
    )
    annotators_wanted: int | None = Field(
        default=None, ge=1, description="answers wanted, where not as many as the policy says"
    )
    annotators_asked: int | None = Field(
        default=None,
        description="the number of answers that Label Studio knows of, or need not know of",
    )
    deleted_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="seen missing in Label Studio"
    )


class Prediction(SQLModel, table=True):
    """A model version's answer for a record that people were shown."""

    __table_args__ = (UniqueConstraint("task_id", "model_version_id"),)

    id: int = row_id()
    task_id: int = Field(foreign_key="task.id", sa_type=RowId)
    model_version_id: int = Field(foreign_key="model_version.id", sa_type=RowId)
    grade: str
    score: float = Field(description="calibrated probability of the grade")
    grade_probabilities: dict[str, float] = Field(sa_type=Json)
    issue_probabilities: dict[str, float] = Field(sa_type=Json)
    field_probabilities: dict[str, float] = Field(
        sa_type=Json, description="probability that each field is faulty"
    )
    explanation: list[dict[str, Any]] = Field(
        default_factory=list, sa_type=Json, description="what spoke for and against the grade"
    )
    created_at: datetime = Field(sa_type=UtcDateTime)
