"""Datasets, records and imports."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, StoredText, UtcDateTime, row_id


class Dataset(SQLModel, table=True):
    """A named set of records that share their fields."""

    id: int = row_id()
    name: str = Field(unique=True, max_length=200)
    kind: str = Field(max_length=50, description="default kind of its records")
    fields: list[str] = Field(sa_type=Json, description="field names in display order")
    types: dict[str, Any] = Field(
        default_factory=dict, sa_type=Json, description="field to number, time or boolean"
    )
    generation: int = Field(
        default=0, sa_type=RowId, description="grows with every change of what is current"
    )
    created_at: datetime = Field(sa_type=UtcDateTime)


class Record(SQLModel, table=True):
    """One version of one governed row; a changed row is a new record, the old one stays."""

    __table_args__ = (
        UniqueConstraint("dataset_id", "external_id", "content_hash"),
        Index(
            "uq_record_current",
            "dataset_id",
            "external_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
        Index("ix_record_page", "dataset_id", "id"),  # pages in id order, without sorting
    )

    id: int = row_id()
    dataset_id: int = Field(foreign_key="dataset.id", sa_type=RowId)
    external_id: str = Field(max_length=500)
    content_hash: str = Field(max_length=64, description="SHA-256 of kind and fields, hex")
    kind: str = Field(max_length=50)
    fields: dict[str, Any] = Field(sa_type=Json)
    source: str = Field(max_length=1000)
    observed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_current: bool = True
    import_id: int | None = Field(default=None, foreign_key="import.id", sa_type=RowId)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Import(SQLModel, table=True):
    """One run of an import and what came of it."""

    __tablename__ = "import"

    id: int = row_id()
    dataset_id: int = Field(foreign_key="dataset.id", sa_type=RowId, index=True)
    source: str = Field(max_length=1000)
    format: str = Field(max_length=20)
    status: str = Field(default="running", max_length=20, description="running, done, failed")
    rows_read: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_unchanged: int = 0
    rows_rejected: int = 0
    error: str | None = Field(default=None, sa_type=StoredText)
    understood: dict[str, Any] | None = Field(
        default=None, sa_type=Json, description="how the source was read"
    )
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ImportReject(SQLModel, table=True):
    """One row that an import refused, and why."""

    __tablename__ = "import_reject"

    id: int = row_id()
    import_id: int = Field(foreign_key="import.id", sa_type=RowId, index=True)
    line: int
    field: str | None = None
    value: str | None = None
    reason: str = Field(sa_type=StoredText)
