"""Audit events as they are asked for and shown."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field

PROJECT = "project:"


class AuditFilter(BaseModel):
    """Which events are wanted; an empty value asks for any."""

    model_config = ConfigDict(frozen=True)

    actor: str | None = Field(None, max_length=320, description="a part of the actor's name")
    action: str | None = Field(None, max_length=100, examples=["case.decide"])
    subject: str | None = Field(None, max_length=300, examples=["project:3"])
    project_id: int | None = None
    before: int | None = Field(None, ge=1, description="only events with a smaller id")

    @property
    def project_subject(self) -> str | None:
        """The subject that stands for the project."""
        return None if self.project_id is None else f"{PROJECT}{self.project_id}"


class AuditEventPublic(BaseModel):
    """Who did what to which thing, and when."""

    id: int
    at: datetime
    actor: str = Field(examples=["ana@example.org"])
    action: str = Field(examples=["model.promoted"])
    subject: str = Field(examples=["project:3"])
    detail: dict[str, Any]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def project_id(self) -> int | None:
        """The project that it was done to, if the subject is one."""
        number = self.subject.removeprefix(PROJECT)
        is_project = self.subject.startswith(PROJECT) and number.isascii() and number.isdigit()
        return int(number) if is_project else None


class AuditPage(BaseModel):
    """Some events, newest first, and where the next older ones begin."""

    items: list[AuditEventPublic]
    next_before: int | None = Field(description="`before` of the next page; empty: no more")
