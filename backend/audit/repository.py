"""Every query on audit events."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from backend.audit.schemas import AuditFilter
from backend.models import AuditEvent, Dataset, Project


def add(session: Session, event: AuditEvent) -> None:
    """Append ``event``."""
    session.add(event)


def latest(session: Session, wanted: AuditFilter, *, limit: int) -> list[AuditEvent]:
    """The newest events that fit the filter, newest first."""
    query = select(AuditEvent).order_by(col(AuditEvent.id).desc()).limit(limit)
    for subject in (wanted.subject, wanted.project_subject):
        if subject:
            query = query.where(AuditEvent.subject == subject)
    if wanted.actor:
        query = query.where(
            func.lower(AuditEvent.actor).contains(wanted.actor.lower(), autoescape=True)
        )
    if wanted.action:
        query = query.where(AuditEvent.action == wanted.action)
    if wanted.before is not None:
        query = query.where(col(AuditEvent.id) < wanted.before)
    return list(session.exec(query))


def actions(session: Session) -> Sequence[str]:
    """Every action that was ever noted, by name."""
    return session.exec(select(AuditEvent.action).distinct().order_by(AuditEvent.action)).all()


def unused_id(session: Session, table: type[Project] | type[Dataset]) -> int | None:
    """The id for a new row where the store would give out one that was used; else None.

    SQLite numbers on from the largest id that is there: after a deletion it would give its id
    again, and with it the audit trail, finished jobs and folders of what was deleted.
    """
    kind = table.__name__.lower()
    subjects = session.exec(
        select(AuditEvent.subject).where(AuditEvent.action == f"{kind}.deleted")
    )
    deleted = max((int(subject.partition(":")[2]) for subject in subjects), default=0)
    largest = session.exec(select(func.max(table.id))).one() or 0
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return deleted + 1 if is_sqlite and deleted > largest else None


def project_names(session: Session) -> Sequence[tuple[int, str]]:
    """(id, name) of every project, by name."""
    rows = session.exec(select(Project.id, Project.name).order_by(Project.name))
    return rows.all()
