"""Who is told what by webhook, and what came of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.models.columns import Json, RowId, StoredText, UtcDateTime, row_id


class NoticeAddress(SQLModel, table=True):
    """A receiver of notices; the secret signs what is sent to it and is shown once."""

    __tablename__ = "notice_address"

    id: int = row_id()
    name: str = Field(max_length=200)
    url: str = Field(max_length=2000, repr=False, description="may hold a token of the receiver")
    secret: str = Field(max_length=100, repr=False)
    project_id: int | None = Field(
        default=None,
        foreign_key="project.id",
        sa_type=RowId,
        index=True,
        description="none: of all projects",
    )
    kinds: list[str] = Field(sa_type=Json)
    is_active: bool = True
    failures: int = Field(default=0, description="attempts without success since the last one")
    note: str | None = Field(default=None, sa_type=StoredText, description="why it was deactivated")
    created_by: str = Field(max_length=320)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Notice(SQLModel, table=True):
    """One thing that one receiver is told; the id follows from both, so it is told once."""

    __table_args__ = (Index("ix_notice_due", "status", "next_attempt_at"),)

    id: str = Field(primary_key=True, max_length=64)
    address_id: int = Field(foreign_key="notice_address.id", sa_type=RowId, index=True)
    project_id: int | None = Field(
        default=None, foreign_key="project.id", sa_type=RowId, index=True
    )
    kind: str = Field(max_length=50)
    said: str = Field(sa_type=StoredText)
    body: dict[str, Any] = Field(sa_type=Json)
    status: str = Field(default="open", max_length=20, description="open, delivered or given_up")
    tries: int = Field(default=0, description="since it was made or sent again")
    next_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class NoticeAttempt(SQLModel, table=True):
    """One time that a notice was sent, and the answer."""

    __tablename__ = "notice_attempt"

    id: int = row_id()
    notice_id: str = Field(foreign_key="notice.id", max_length=64, index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    seconds: float
    status: int | None = Field(default=None, description="HTTP status; none without an answer")
    answer: str = Field(default="", description="the body's first bytes as text")
    error: str | None = Field(default=None, sa_type=StoredText)
