"""Every query with which a project that Label Studio lost is let go of."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, func, update
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.jobs.repository import changed_rows
from backend.loop.answer_repository import answers
from backend.loop.repository import IMPORTED_KEY
from backend.models import Annotation, Annotator, Batch, Project, SyncCursor, Task

FIRST_KEPT = -1_500_000_000
"""Answers whose Label Studio is gone are numbered from here downwards, far from imported ones."""
FIRST_OWN_USER = -1_000_000_000
"""As ``label_exchange.import_repository.FIRST_OWN_USER``."""
CHUNK = 500
"""Ids or rows a statement: below the 999 parameters that SQLite allowed before 3.32 (2020)."""


def tasks(session: Session, project_id: int) -> Sequence[Task]:
    """Every task of the project that was pushed, or was and is deleted in Label Studio."""
    return session.exec(
        select(Task).where(
            Task.project_id == project_id, col(Task.label_studio_task_id).is_not(None)
        )
    ).all()


def answered_tasks(session: Session, project_id: int) -> set[int]:
    """Tasks with an annotation, whatever became of it."""
    rows = session.exec(
        select(Annotation.task_id).where(Annotation.project_id == project_id).distinct()
    )
    return set(rows)


def keep_answers(session: Session, project_id: int) -> int:
    """The project's answers have numbers that no Label Studio gives out; how many revisions."""
    lowest: int | None = session.exec(
        select(func.min(Annotation.label_studio_annotation_id)).where(
            Annotation.project_id == project_id,
            col(Annotation.label_studio_annotation_id) <= FIRST_KEPT,
            col(Annotation.label_studio_annotation_id) > 2 * FIRST_OWN_USER,
        )
    ).one()
    base = FIRST_KEPT if lowest is None else lowest
    return changed_rows(
        session,
        update(Annotation)
        .where(
            col(Annotation.project_id) == project_id,
            col(Annotation.label_studio_annotation_id) > 0,
        )
        .values(label_studio_annotation_id=base - col(Annotation.label_studio_annotation_id)),
    )


def let_go_of_tasks(session: Session, ids: Sequence[int], *, is_pushed_again: bool) -> None:
    """Label Studio holds none of these tasks; those that are not pushed again say so in their key.

    Their batches wait for a push, if they are pushed again.
    """
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        values: dict[str, ColumnElement[str] | None] = {
            "label_studio_task_id": None,
            "annotators_asked": None,
        }
        if not is_pushed_again:
            values["key"] = IMPORTED_KEY + col(Task.key)
        session.execute(update(Task).where(col(Task.id).in_(part)).values(values))
        if is_pushed_again:
            batches = select(Task.batch_id).where(col(Task.id).in_(part))
            session.execute(update(Batch).where(col(Batch.id).in_(batches)).values(pushed_at=None))


def want_the_rest(session: Session, begun: Mapping[int, int]) -> None:
    """Label Studio will be told of these tasks that some of the wanted answers are here already."""
    for task_id, wanted in begun.items():
        task = session.get(Task, task_id)
        assert task is not None
        task.annotators_wanted, task.annotators_asked = wanted, None
        session.add(task)
    session.flush()


def kept_answers(session: Session, project_id: int) -> dict[int, int]:
    """Task id to the people whose answers to it, or to its copies, no Label Studio holds."""
    given = answers(project_id)
    rows = session.execute(
        columns(given.c.first_id, func.count())
        .join(Annotation, col(Annotation.id) == given.c.id)
        .where(col(Annotation.label_studio_annotation_id) <= FIRST_KEPT)
        .group_by(given.c.first_id)
    )
    return {row[0]: row[1] for row in rows}


def let_go_of_project(session: Session, project_id: int) -> None:
    """The project is in no Label Studio, and nothing of it was read."""
    session.execute(
        update(Project).where(col(Project.id) == project_id).values(label_studio_project_id=None)
    )
    session.execute(
        update(SyncCursor)
        .where(col(SyncCursor.project_id) == project_id)
        .values(cursor=None, listed_at=None, error=None, unreadable=[])
    )


def known_annotators(session: Session) -> Sequence[Annotator]:
    """Annotators under the id that some Label Studio gave them."""
    return session.exec(
        select(Annotator).where(col(Annotator.label_studio_user_id) > 0).order_by(col(Annotator.id))
    ).all()


def let_go_of_annotators(session: Session, gone: Collection[Annotator]) -> None:
    """These annotators are known by e-mail address alone."""
    lowest = session.exec(select(func.min(Annotator.label_studio_user_id))).one() or 0
    user_id = min(lowest, FIRST_OWN_USER)
    for annotator in gone:
        user_id -= 1
        annotator.label_studio_user_id = user_id
        session.add(annotator)
    session.flush()
