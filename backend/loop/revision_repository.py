"""The revision of an annotation that counts: the one place that says which."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.models import Annotation


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
        wheres: Iterable[ColumnElement[bool] | None] = [
            col(Annotation.task_id).in_(part) for part in parts(task_ids)
        ]
    elif annotation_ids is not None:
        wheres = [
            col(Annotation.label_studio_annotation_id).in_(part) for part in parts(annotation_ids)
        ]
    else:
        wheres = [None]
    found: list[Annotation] = []
    for where in wheres:
        place = (
            func.row_number()
            .over(
                partition_by=col(Annotation.label_studio_annotation_id),
                order_by=latest_first(),
            )
            .label("place")
        )
        ranked = select(Annotation.id, place).where(Annotation.project_id == project_id)
        if where is not None:
            ranked = ranked.where(where)
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
