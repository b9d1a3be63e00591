"""The revision of an annotation that counts: the one place that says which."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.models import Annotation


def standing_ids(
    *conditions: ColumnElement[bool], include_deleted: bool = False
) -> Select[tuple[int | None]]:
    """Row ids of the revisions that count: the latest of each by (revised_at, revision).

    Annotations whose latest revision is their deletion are left out. ``conditions`` choose
    annotations by what all revisions of one share: the project, the task, Label Studio's id.
    """
    place = func.row_number().over(
        partition_by=(col(Annotation.project_id), col(Annotation.label_studio_annotation_id)),
        order_by=(col(Annotation.revised_at).desc(), col(Annotation.revision).desc()),
    )
    ranked = (
        columns(col(Annotation.id), col(Annotation.is_deleted), place.label("place"))
        .where(*conditions)
        .subquery()
    )
    found = columns(ranked.c.id).where(ranked.c.place == 1)
    return found if include_deleted else found.where(ranked.c.is_deleted.is_(False))


def is_standing(
    *conditions: ColumnElement[bool], include_deleted: bool = False
) -> ColumnElement[bool]:
    """The annotation's row is the revision that counts, see ``standing_ids``.

    The conditions stand outside, too: a store that knows only the ids looks, for each task that is
    joined, into an index for every one of them, which takes a minute for 20,000 tasks.
    """
    ids = standing_ids(*conditions, include_deleted=include_deleted)
    return and_(*conditions, col(Annotation.id).in_(ids))


def current_revisions(
    session: Session,
    project_id: int,
    *,
    task_ids: Sequence[int] | None = None,
    annotation_ids: Sequence[int] | None = None,
    include_deleted: bool = False,
) -> list[Annotation]:
    """The revision that counts of each annotation.

    Either all of the project, or those of the given tasks (our ids) or annotations
    (Label Studio's ids). Ordered by annotation id.
    """
    if task_ids is not None:
        chosen: Iterable[tuple[Any, ...]] = (
            (col(Annotation.task_id).in_(part),) for part in parts(task_ids)
        )
    elif annotation_ids is not None:
        chosen = (
            (col(Annotation.label_studio_annotation_id).in_(part),)
            for part in parts(annotation_ids)
        )
    else:
        chosen = ((),)
    found: list[Annotation] = []
    for conditions in chosen:
        counts = is_standing(
            col(Annotation.project_id) == project_id,
            *conditions,
            include_deleted=include_deleted,
        )
        found.extend(
            session.exec(
                select(Annotation)
                .where(counts)
                .order_by(col(Annotation.label_studio_annotation_id))
            )
        )
    return found
