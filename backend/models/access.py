"""Who may come in: users of the pages, API keys; and what was done, by whom."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from backend.models.columns import Json, UtcDateTime, row_id


class User(SQLModel, table=True):
    """Someone who may log in to the pages."""

    __tablename__ = "app_user"

    id: int = row_id()
    email: str = Field(unique=True, max_length=320)
    role: str = Field(
        max_length=20, description="annotator, viewer, reviewer, engineer, lead or admin"
    )
    password_hash: str
    is_disabled: bool = False
    login_generation: int = Field(default=0, description="logins of earlier ones have ended")
    created_at: datetime = Field(sa_type=UtcDateTime)


class ApiKey(SQLModel, table=True):
    """A key for programs; only its SHA-256 is kept."""

    __tablename__ = "api_key"

    id: int = row_id()
    name: str = Field(max_length=200)
    prefix: str = Field(max_length=12, description="first characters, to recognise it by")
    key_hash: str = Field(unique=True, max_length=64)
    role: str = Field(
        max_length=20, description="scorer, viewer, reviewer, engineer, service, lead or admin"
    )
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuditEvent(SQLModel, table=True):
    """Who did what to which thing, and when."""

    __tablename__ = "audit_event"

    id: int = row_id()
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    actor: str = Field(max_length=320)
    action: str = Field(max_length=100)
    subject: str = Field(max_length=300, description="for example project:3")
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
