"""Append and read audit events; nothing changes or removes one."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from backend.audit import repository
from backend.audit.schemas import AuditEventPublic, AuditFilter, AuditPage
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
        return repository.latest(self._session, AuditFilter(subject=subject), limit=limit)

    def page(self, wanted: AuditFilter, *, limit: int) -> AuditPage:
        """The newest events that fit, newest first, at most ``limit``."""
        rows = repository.latest(self._session, wanted, limit=limit + 1)
        items = [AuditEventPublic.model_validate(row, from_attributes=True) for row in rows[:limit]]
        return AuditPage(items=items, next_before=items[-1].id if len(rows) > limit else None)

    def actions(self) -> Sequence[str]:
        """Every action that was ever noted, by name."""
        return repository.actions(self._session)

    def projects(self) -> Sequence[tuple[int, str]]:
        """(id, name) of every project, by name."""
        return repository.project_names(self._session)
