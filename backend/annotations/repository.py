"""Every query on pushed tasks, annotators and annotation revisions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from backend.models import Annotation, Annotator, Prediction, Task

CHUNK = 500


def _chunks(items: Sequence[int]) -> Iterable[Sequence[int]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


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


def suggested_label_studio_ids(
    session: Session, project_id: int, label_studio_ids: Sequence[int]
) -> list[int]:
    """Those of Label Studio's task ids for which a classifier's prediction is stored."""
    found: list[int] = []
    for part in _chunks(label_studio_ids):
        rows = session.exec(
            select(Task.label_studio_task_id).where(
                Task.project_id == project_id,
                col(Task.label_studio_task_id).in_(part),
                col(Task.id).in_(select(Prediction.task_id)),
            )
        )
        found.extend(row for row in rows if row is not None)
    return found


def mark_tasks_deleted(session: Session, task_ids: Sequence[int], now: datetime) -> None:
    """These tasks are gone from Label Studio; their annotations stay in the store."""
    for part in _chunks(task_ids):
        session.exec(
            update(Task)
            .where(col(Task.id).in_(part), col(Task.deleted_at).is_(None))
            .values(deleted_at=now)
        )


def latest_first() -> tuple[ColumnElement[Any], ...]:
    """The order in which the revision that counts comes first."""
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
                order_by=latest_first(),
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
