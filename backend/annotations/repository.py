"""Every query on tasks, annotation revisions and webhook events."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from backend.models import (
    Annotation,
    Annotator,
    Batch,
    Job,
    ModelVersion,
    Prediction,
    Record,
    SyncCursor,
    Task,
    WebhookEvent,
)

CHUNK = 500


def _chunks(items: Sequence[int]) -> Iterable[Sequence[int]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


# Tasks


def get_batch(session: Session, batch_id: int) -> Batch | None:
    """The batch with that id."""
    return session.get(Batch, batch_id)


def batches_not_pushed(session: Session, project_id: int) -> Sequence[Batch]:
    """Batches that Label Studio may not have in full, oldest first."""
    return session.exec(
        select(Batch)
        .where(Batch.project_id == project_id, col(Batch.pushed_at).is_(None))
        .order_by(col(Batch.round))
    ).all()


def tasks_with_records(session: Session, batch_id: int) -> Sequence[tuple[Task, Record]]:
    """The batch's tasks with their records, most useful first."""
    return session.exec(
        select(Task, Record)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(Task.batch_id == batch_id)
        .order_by(col(Task.position))
    ).all()


def predictions_of_batch(session: Session, batch_id: int) -> dict[int, Prediction]:
    """Task id to the prediction that its annotators are shown."""
    rows = session.exec(
        select(Prediction)
        .join(Task, col(Task.id) == col(Prediction.task_id))
        .where(Task.batch_id == batch_id)
        .order_by(col(Prediction.id))
    )
    return {row.task_id: row for row in rows}


def set_label_studio_ids(session: Session, ids: Mapping[int, int]) -> None:
    """Each task (our id) is known by that id in Label Studio."""
    for task_id, label_studio_task_id in ids.items():
        session.exec(
            update(Task)
            .where(col(Task.id) == task_id)
            .values(label_studio_task_id=label_studio_task_id, deleted_at=None)
        )


def task_ids_by_label_studio_id(
    session: Session, project_id: int, label_studio_ids: Sequence[int]
) -> dict[int, int]:
    """Label Studio's task id to ours, for those that are ours."""
    found: dict[int, int] = {}
    for part in _chunks(label_studio_ids):
        rows = session.exec(
            select(Task.label_studio_task_id, Task.id).where(
                Task.project_id == project_id, col(Task.label_studio_task_id).in_(part)
            )
        )
        found.update({theirs: ours for theirs, ours in rows if theirs and ours})
    return found


def pushed_label_studio_ids(session: Session, project_id: int) -> list[int]:
    """Label Studio's ids of the project's tasks that are not known to be deleted there."""
    rows = session.exec(
        select(Task.label_studio_task_id).where(
            Task.project_id == project_id,
            col(Task.label_studio_task_id).is_not(None),
            col(Task.deleted_at).is_(None),
        )
    )
    return [row for row in rows if row is not None]


def mark_tasks_deleted(session: Session, task_ids: Sequence[int], now: datetime) -> None:
    """These tasks are gone from Label Studio; their annotations stay in the store."""
    for part in _chunks(task_ids):
        session.exec(
            update(Task)
            .where(col(Task.id).in_(part), col(Task.deleted_at).is_(None))
            .values(deleted_at=now)
        )


def model_version_names(session: Session, project_id: int) -> dict[int, int]:
    """Model version id to its number."""
    rows = session.exec(
        select(ModelVersion.id, ModelVersion.number).where(ModelVersion.project_id == project_id)
    )
    return {version_id: number for version_id, number in rows if version_id is not None}


def mark_batch_pushed(session: Session, batch_id: int, now: datetime) -> None:
    """Label Studio holds every task of the batch."""
    session.exec(update(Batch).where(col(Batch.id) == batch_id).values(pushed_at=now))


# Annotations


def _latest_first() -> tuple[ColumnElement[Any], ...]:
    return (col(Annotation.revised_at).desc(), col(Annotation.revision).desc())


def current_revisions(
    session: Session,
    project_id: int,
    *,
    task_ids: Sequence[int] | None = None,
    annotation_ids: Sequence[int] | None = None,
    include_deleted: bool = False,
) -> list[Annotation]:
    """The revision that counts of each annotation: the latest by (revised_at, revision).

    Either all of the project, or those of the given tasks (our ids) or annotations
    (Label Studio's ids). Ordered by annotation id.
    """
    if task_ids is not None:
        parts: Iterable[ColumnElement[bool] | None] = [
            col(Annotation.task_id).in_(part) for part in _chunks(task_ids)
        ]
    elif annotation_ids is not None:
        parts = [
            col(Annotation.label_studio_annotation_id).in_(part) for part in _chunks(annotation_ids)
        ]
    else:
        parts = [None]
    found: list[Annotation] = []
    for part in parts:
        place = (
            func.row_number()
            .over(
                partition_by=col(Annotation.label_studio_annotation_id),
                order_by=_latest_first(),
            )
            .label("place")
        )
        ranked = select(Annotation.id, place).where(Annotation.project_id == project_id)
        if part is not None:
            ranked = ranked.where(part)
        latest = ranked.subquery()
        query = (
            select(Annotation)
            .join(latest, latest.c.id == col(Annotation.id))
            .where(latest.c.place == 1)
            .order_by(col(Annotation.label_studio_annotation_id))
        )
        if not include_deleted:
            query = query.where(col(Annotation.is_deleted).is_(False))
        found.extend(session.exec(query))
    return found


def known_identities(
    session: Session, project_id: int, annotation_ids: Sequence[int]
) -> dict[int, dict[str, int]]:
    """Annotation id to its revisions: identity to revision number."""
    known: dict[int, dict[str, int]] = {}
    for part in _chunks(annotation_ids):
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
    return {theirs: ours for theirs, ours in rows if ours is not None}


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


def annotators_without_name(session: Session) -> Sequence[Annotator]:
    """Annotators whose e-mail address has not been looked up yet."""
    return session.exec(select(Annotator).where(col(Annotator.email).is_(None))).all()


def name_annotator(session: Session, annotator: Annotator, email: str, name: str | None) -> None:
    """The annotator's e-mail address and name are known."""
    annotator.email, annotator.name = email, name
    session.add(annotator)
    session.flush()


# Progress of the loop


def answers_by_task(session: Session, project_id: int) -> dict[int, tuple[int, int]]:
    """Task id to (batch id, number of distinct annotators with an answer).

    Tasks deleted in Label Studio are left out; a skip counts as an answer.
    """
    place = (
        func.row_number()
        .over(partition_by=col(Annotation.label_studio_annotation_id), order_by=_latest_first())
        .label("place")
    )
    latest = (
        select(Annotation.task_id, Annotation.annotator_id, Annotation.is_deleted, place)
        .where(Annotation.project_id == project_id)
        .subquery()
    )
    answers = (
        select(latest.c.task_id, func.count(latest.c.annotator_id.distinct()).label("answers"))
        .where(latest.c.place == 1, latest.c.is_deleted.is_(False))
        .group_by(latest.c.task_id)
        .subquery()
    )
    rows = session.exec(
        select(Task.id, Task.batch_id, func.coalesce(answers.c.answers, 0))
        .outerjoin(answers, answers.c.task_id == col(Task.id))
        .where(Task.project_id == project_id, col(Task.deleted_at).is_(None))
    )
    return {task_id: (batch_id, count) for task_id, batch_id, count in rows if task_id is not None}


def latest_batch(session: Session, project_id: int) -> Batch | None:
    """The project's newest batch."""
    return session.exec(
        select(Batch).where(Batch.project_id == project_id).order_by(col(Batch.round).desc())
    ).first()


def latest_model_version(session: Session, project_id: int) -> ModelVersion | None:
    """The project's newest model version, champion or not."""
    return session.exec(
        select(ModelVersion)
        .where(ModelVersion.project_id == project_id)
        .order_by(col(ModelVersion.number).desc())
    ).first()


# Sync cursor and webhook events


def get_cursor(session: Session, project_id: int) -> SyncCursor:
    """How far the project's sync has read."""
    row = session.get(SyncCursor, project_id)
    if row is None:
        row = SyncCursor(project_id=project_id)
        session.add(row)
        session.flush()
    return row


def lock_intake(session: Session, project_id: int) -> None:
    """Until this transaction ends nobody else takes in annotations of the project."""
    session.exec(
        select(SyncCursor).where(SyncCursor.project_id == project_id).with_for_update()
    ).one_or_none()


def move_cursor(session: Session, project_id: int, newest: datetime) -> None:
    """The sync has read up to ``newest``; the cursor never goes back."""
    row = get_cursor(session, project_id)
    if row.cursor is None or row.cursor < newest:
        row.cursor = newest
        session.add(row)
        session.flush()


def mark_synced(session: Session, project_id: int, now: datetime) -> None:
    """A sync went through to its end."""
    row = get_cursor(session, project_id)
    row.synced_at, row.error = now, None
    session.add(row)
    session.flush()


def mark_listed(session: Session, project_id: int, now: datetime) -> None:
    """Every task id of the project was compared with Label Studio."""
    row = get_cursor(session, project_id)
    row.listed_at = now
    session.add(row)
    session.flush()


def add_event(
    session: Session, *, project_id: int | None, action: str | None, body: str, now: datetime
) -> WebhookEvent:
    """The raw event is stored."""
    event = WebhookEvent(project_id=project_id, action=action, body=body, received_at=now)
    session.add(event)
    session.flush()
    return event


def newest_record(session: Session, dataset_id: int) -> int:
    """The largest record id of the dataset, 0 if it is empty: grows with every import."""
    return session.exec(
        select(func.coalesce(func.max(Record.id), 0)).where(Record.dataset_id == dataset_id)
    ).one()


def count_failures(session: Session, name: str, project_id: int, *, before: datetime) -> int:
    """How many such jobs had failed by then."""
    return session.exec(
        select(func.count())
        .select_from(Job)
        .where(
            Job.name == name,
            Job.project_id == project_id,
            Job.status == "failed",
            col(Job.finished_at) <= before,
        )
    ).one()


def has_queued_job(session: Session, name: str, project_id: int) -> bool:
    """True while such a job has not started: it will see whatever is committed by then."""
    return (
        session.exec(
            select(Job.id)
            .where(Job.name == name, Job.project_id == project_id, Job.status == "queued")
            .limit(1)
        ).first()
        is not None
    )


def received_events(session: Session, project_id: int, limit: int = 1_000) -> list[WebhookEvent]:
    """Events not applied yet, in order of arrival."""
    return list(
        session.exec(
            select(WebhookEvent)
            .where(WebhookEvent.project_id == project_id, WebhookEvent.status == "received")
            .order_by(col(WebhookEvent.id))
            .limit(limit)
        )
    )
