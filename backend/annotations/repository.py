"""Every query on pushed tasks, annotators and annotation revisions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.models import (
    Annotation,
    Annotator,
    SyncCursor,
    Task,
    WebhookEvent,
)


def task_ids_by_label_studio_id(
    session: Session, project_id: int, label_studio_ids: Sequence[int]
) -> dict[int, int]:
    """Label Studio's task id to ours, for those that are ours."""
    found: dict[int, int] = {}
    for part in parts(label_studio_ids):
        rows = session.exec(
            select(Task.label_studio_task_id, Task.id).where(
                Task.project_id == project_id, col(Task.label_studio_task_id).in_(part)
            )
        )
        found.update({theirs: ours for theirs, ours in rows if theirs and ours})
    return found


def mark_tasks_deleted(session: Session, task_ids: Sequence[int], now: datetime) -> int:
    """These tasks are gone from Label Studio, and their annotations stay in the store.

    Returns of how many of them that was not known.
    """
    return sum(
        session.exec(
            update(Task)
            .where(col(Task.id).in_(part), col(Task.deleted_at).is_(None))
            .values(deleted_at=now)
        ).rowcount
        for part in parts(task_ids)
    )


def known_identities(
    session: Session, project_id: int, annotation_ids: Sequence[int]
) -> dict[int, dict[str, int]]:
    """Annotation id to its revisions: identity to revision number."""
    known: dict[int, dict[str, int]] = {}
    for part in parts(annotation_ids):
        rows = session.exec(
            select(
                Annotation.label_studio_annotation_id, Annotation.identity, Annotation.revision
            ).where(
                Annotation.project_id == project_id,
                col(Annotation.label_studio_annotation_id).in_(part),
            )
        )
        for annotation_id, identity, revision in rows:
            known.setdefault(annotation_id, {})[identity] = revision
    return known


def add_revisions(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """The revisions are stored; one already there (same identity) is left alone."""
    if not rows:
        return 0
    dialect = session.get_bind().dialect.name
    statement: Any = (
        postgresql.insert(Annotation) if dialect == "postgresql" else sqlite.insert(Annotation)
    )
    statement = statement.on_conflict_do_nothing(
        index_elements=["project_id", "label_studio_annotation_id", "identity"]
    )
    session.execute(statement, list(rows))
    return len(rows)


def annotator_ids(session: Session, label_studio_user_ids: Iterable[int]) -> dict[int, int]:
    """Label Studio's user id to our annotator id, for those known."""
    wanted = list(set(label_studio_user_ids))
    rows = session.exec(
        select(Annotator.label_studio_user_id, Annotator.id).where(
            col(Annotator.label_studio_user_id).in_(wanted)
        )
    )
    return dict(rows.all())


def add_annotators(session: Session, label_studio_user_ids: Iterable[int], now: datetime) -> None:
    """Each of these Label Studio users has a row here."""
    rows = [
        {"label_studio_user_id": user_id, "created_at": now}
        for user_id in sorted(set(label_studio_user_ids))
    ]
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    statement: Any = (
        postgresql.insert(Annotator) if dialect == "postgresql" else sqlite.insert(Annotator)
    )
    session.execute(statement.on_conflict_do_nothing(index_elements=["label_studio_user_id"]), rows)


def lock_intake(session: Session, project_id: int) -> None:
    """Until this transaction ends nobody else takes in annotations of the project."""
    session.exec(
        select(SyncCursor).where(SyncCursor.project_id == project_id).with_for_update()
    ).one_or_none()


def add_event(
    session: Session, *, project_id: int | None, action: str | None, body: str, now: datetime
) -> WebhookEvent:
    """The raw event is stored."""
    event = WebhookEvent(project_id=project_id, action=action, body=body, received_at=now)
    session.add(event)
    session.flush()
    return event


EVENTS_AT_A_TIME = 1_000
"""Chosen: bounds memory while raw events are read."""


def received_events(session: Session, project_id: int) -> list[WebhookEvent]:
    """The first events not applied yet, in order of arrival."""
    return list(
        session.exec(
            select(WebhookEvent)
            .where(WebhookEvent.project_id == project_id, WebhookEvent.status == "received")
            .order_by(col(WebhookEvent.id))
            .limit(EVENTS_AT_A_TIME)
        )
    )


def has_received_events(session: Session, project_id: int) -> bool:
    """True while an event waits to be applied."""
    return (
        session.exec(
            select(WebhookEvent.id)
            .where(WebhookEvent.project_id == project_id, WebhookEvent.status == "received")
            .limit(1)
        ).first()
        is not None
    )
