"""Jobs as people see them, workers, leases and schedules."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, StoredText, UtcDateTime, row_id


class Job(SQLModel, table=True):
    """One piece of background work: a worker claims the row and runs it."""

    id: str = Field(primary_key=True, max_length=100)
    name: str = Field(max_length=100, index=True, description="for example training.retrain")
    project_id: int | None = Field(
        default=None, foreign_key="project.id", sa_type=RowId, index=True
    )
    args: dict[str, Any] = Field(sa_type=Json)
    status: str = Field(
        default="queued",
        max_length=20,
        index=True,
        description="queued, running, waiting, done, failed, cancelled",
    )
    attempt: int = Field(default=0, description="how often it was started; fences late writes")
    not_before: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="a waiting job is tried again then"
    )
    retries: int = Field(default=0, description="how often something it needs was unavailable")
    crashes: int = Field(default=0, description="how often its worker died under it")
    progress: float = Field(default=0.0, ge=0.0, le=1.0)
    message: str = Field(default="", sa_type=StoredText)
    error: str | None = Field(default=None, sa_type=StoredText)
    result: dict[str, Any] | None = Field(default=None, sa_type=Json)
    cancel_requested: bool = False
    worker_id: str | None = Field(default=None, max_length=200)
    enqueued_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Worker(SQLModel, table=True):
    """A worker process; whether it lives is told by the lock that it holds."""

    id: str = Field(primary_key=True, max_length=200)
    host: str
    pid: int
    instance: str = Field(max_length=40, description="differs at each start of the process")
    started_at: datetime = Field(sa_type=UtcDateTime)


class Lease(SQLModel, table=True):
    """The right to do one thing alone, for example train one project."""

    name: str = Field(primary_key=True, max_length=200)
    holder: str = Field(max_length=200, description="job id and attempt")
    expires_at: datetime = Field(sa_type=UtcDateTime)


class Schedule(SQLModel, table=True):
    """A job that is enqueued by cron."""

    __table_args__ = (UniqueConstraint("project_id", "job_name"),)

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    job_name: str = Field(max_length=100)
    cron: str = Field(max_length=100)
    is_enabled: bool = True
    next_run_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_run_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
