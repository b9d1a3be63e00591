"""Audit events as they are shown."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class AuditEventPublic(BaseModel):
    """Who did what to which thing, and when."""

    id: int
    at: datetime
    actor: str = Field(examples=["ana@example.org"])
    action: str = Field(examples=["model.promoted"])
    subject: str = Field(examples=["project:3"])
    detail: dict[str, Any]
