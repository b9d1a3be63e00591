"""Append and read audit events; nothing changes or removes one."""

from typing import Any

from sqlmodel import Session

from backend.audit import repository
from backend.core.clock import Clock
from backend.models import AuditEvent


class AuditTrail:
    """The record of who did what, written in the transaction of the deed itself."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def append(
        self, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None
    ) -> None:
        """Note that ``actor`` did ``action`` (``user.created``) to ``subject`` (``user:3``)."""
        event = AuditEvent(
            at=self._clock(), actor=actor, action=action, subject=subject, detail=detail or {}
        )
        repository.add(self._session, event)

    def latest(self, *, subject: str | None = None, limit: int = 100) -> list[AuditEvent]:
        """The newest events, newest first."""
        return repository.latest(self._session, subject=subject, limit=limit)
