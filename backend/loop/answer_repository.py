"""Which answers count and who has answered: the one place that says so.

An answer is the revision that counts of an annotation (``revision_repository``) whose task is not
deleted in Label Studio and is no hidden gold copy. Copies of a task bring answers to its record.
Of two answers of one person to one record the later one by (revised_at, id) counts; whoever is not
known (imported without a name, deleted in Label Studio) is one person an annotation. A skip is an
answer that gives no label.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Subquery, case, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.loop.answers import GOLD, LABEL, Asked, RecordAnswers
from backend.loop.repository import IMPORTED_KEY
from backend.loop.revision_repository import is_standing
from backend.models import Annotation, Record, Task


def first_id() -> ColumnElement[int]:
    """The first task of the task's record: its own id, or that of the task that it copies."""
    return func.coalesce(col(Task.original_id), col(Task.id))


def answers(project_id: int, tasks: ColumnElement[bool] | None = None) -> Subquery:
    """The answers that count in the project: ``id`` of the revision, ``task_id``, ``first_id``.

    ``tasks`` chooses among them by conditions on Task; whole records only, or somebody's earlier
    answer to another copy would count.
    """
    conditions = _counted_tasks(project_id)
    of_annotations = [col(Annotation.project_id) == project_id]
    if tasks is not None:
        conditions.append(tasks)
        of_annotations.append(col(Annotation.task_id).in_(columns(col(Task.id)).where(*conditions)))
    person = func.coalesce(col(Annotation.annotator_id), -col(Annotation.id))
    place = func.row_number().over(
        partition_by=(first_id(), person),
        order_by=(col(Annotation.revised_at).desc(), col(Annotation.id).desc()),
    )
    ranked = (
        columns(
            col(Annotation.id),
            col(Annotation.task_id),
            first_id().label("first_id"),
            col(Annotation.was_cancelled),
            place.label("place"),
        )
        .join(Task, col(Task.id) == col(Annotation.task_id))
        .where(is_standing(*of_annotations), *conditions)
        .subquery()
    )
    return (
        columns(ranked.c.id, ranked.c.task_id, ranked.c.first_id, ranked.c.was_cancelled)
        .where(ranked.c.place == 1)
        .subquery()
    )


@dataclass(frozen=True)
class RecordState:
    """One record of a project in a few numbers."""

    batch_id: int
    responses: int
    asked: Asked


def states(session: Session, project_id: int) -> dict[int, RecordState]:
    """First task's id to how many people answered or skipped, and what is asked."""
    given = answers(project_id)
    responses = columns(given.c.first_id, func.count().label("responses"))
    counted = responses.group_by(given.c.first_id).subquery()
    asked = _asked_query(project_id)
    rows = session.execute(
        columns(
            asked.c.first_id,
            col(Task.batch_id),
            func.coalesce(counted.c.responses, 0),
            col(Task.annotators_wanted),
            asked.c.copies,
            asked.c.can_be_answered,
        )
        .join(Task, col(Task.id) == asked.c.first_id)
        .outerjoin(counted, counted.c.first_id == asked.c.first_id)
    )
    return {
        first: RecordState(batch_id, count, Asked(wanted, copies, bool(can_be_answered)))
        for first, batch_id, count, wanted, copies, can_be_answered in rows
    }


def answers_of(
    session: Session, project_id: int, *, task_ids: Sequence[int] | None = None
) -> dict[int, RecordAnswers]:
    """First task's id to the record's answers, in the order of those ids.

    All records of the project that have a task which Label Studio has not lost, or those that the
    given tasks, first ones or copies, belong to.
    """
    found: dict[int, RecordAnswers] = {}
    for conditions in _of_records(session, task_ids):
        asked = _asked_query(project_id, conditions)
        records = session.execute(
            columns(Task, asked.c.copies, asked.c.can_be_answered)
            .join(asked, asked.c.first_id == col(Task.id))
            .order_by(col(Task.id))
        )
        for task, copies, can_be_answered in records:
            found[task.id] = RecordAnswers(
                task, asked=Asked(task.annotators_wanted, copies, bool(can_be_answered))
            )
        present = select(Task).where(*_counted_tasks(project_id)).order_by(col(Task.id))
        if conditions is not None:
            present = present.where(conditions)
        for task in session.exec(present):
            found[task.original_id or task.id].tasks.append(task)
        given = answers(project_id, conditions)
        rows = session.execute(
            columns(given.c.first_id, Annotation)
            .join(given, given.c.id == col(Annotation.id))
            .order_by(col(Annotation.id))
        )
        for first, row in rows:
            each = found[first]
            (each.skips if row.was_cancelled else each.answers).append(row)
    return found


def gold_answers(session: Session, project_id: int) -> list[tuple[int, Annotation]]:
    """(first task's id, revision that counts) of each answer to a hidden copy, by annotation."""
    rows = session.execute(
        columns(col(Task.original_id), Annotation)
        .join(Task, col(Task.id) == col(Annotation.task_id))
        .where(
            is_standing(col(Annotation.project_id) == project_id),
            col(Task.purpose) == GOLD,
            col(Task.original_id).is_not(None),
            col(Task.deleted_at).is_(None),
        )
        .order_by(col(Annotation.label_studio_annotation_id))
    )
    return [(first, row) for first, row in rows]


def _of_records(
    session: Session, task_ids: Sequence[int] | None
) -> Iterator[ColumnElement[bool] | None]:
    """Conditions on Task that choose the whole records of these tasks, some at a time."""
    if task_ids is None:
        yield None
        return
    firsts: set[int] = set()
    for part in parts(sorted(set(task_ids))):
        firsts.update(session.exec(select(first_id()).where(col(Task.id).in_(part))))
    for part in parts(sorted(firsts)):
        yield col(Task.id).in_(part) | col(Task.original_id).in_(part)


def _counted_tasks(project_id: int) -> list[ColumnElement[bool]]:
    return [
        col(Task.project_id) == project_id,
        col(Task.purpose) != GOLD,
        col(Task.deleted_at).is_(None),
    ]


def _asked_query(project_id: int, tasks: ColumnElement[bool] | None = None) -> Subquery:
    """``first_id``, ``copies`` and ``can_be_answered`` of each record, see ``Asked``."""
    is_own = ~col(Task.key).startswith(IMPORTED_KEY, autoescape=True)
    is_shown = col(Task.label_studio_task_id).is_not(None) | col(Record.is_current)
    has_first = func.max(case((col(Task.purpose) == LABEL, 1), else_=0)) == 1
    copies = func.sum(case((is_own, 1), else_=0))
    query = (
        columns(
            first_id().label("first_id"),
            case((has_first, None), else_=copies).label("copies"),
            func.max(case((is_own & is_shown, 1), else_=0)).label("can_be_answered"),
        )
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(*_counted_tasks(project_id))
        .group_by(first_id())
    )
    if tasks is not None:
        query = query.where(tasks)
    return query.subquery()
