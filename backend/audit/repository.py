"""Every query on audit events."""

from sqlmodel import Session, col, select

from backend.models import AuditEvent


def add(session: Session, event: AuditEvent) -> None:
    """Append ``event``."""
    session.add(event)


def latest(session: Session, *, subject: str | None, limit: int) -> list[AuditEvent]:
    """The newest events, of one subject if named, newest first."""
    query = select(AuditEvent).order_by(col(AuditEvent.id).desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEvent.subject == subject)
    return list(session.exec(query))
