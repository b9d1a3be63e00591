"""The queries of the queue: which cases, in which order, how many."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.loop.answer_repository import answers, first_id
from backend.models import (
    Annotation,
    CaseReason,
    ConsensusLabel,
    Project,
    Record,
    ReviewCase,
    Task,
)
from backend.review.schemas import CaseFilter

CHUNK = 500
"""Ids or rows a statement: below the 999 parameters that SQLite allowed before 3.32 (2020)."""


def page(
    session: Session, project_id: int, wanted: CaseFilter, *, offset: int, limit: int
) -> Sequence[tuple[ReviewCase, Record, ConsensusLabel | None]]:
    """Cases with their records, the most valuable first."""
    ids = (
        select(ReviewCase.id)
        .where(*_conditions(project_id, wanted))
        .order_by(col(ReviewCase.priority).desc(), col(ReviewCase.id).desc())
        .offset(offset)
        .limit(limit)
        .subquery()
    )
    return session.exec(
        select(ReviewCase, Record, ConsensusLabel)
        .join(ids, ids.c.id == col(ReviewCase.id))
        .join(Task, col(Task.id) == col(ReviewCase.task_id))
        .join(Record, col(Record.id) == col(Task.record_id))
        .outerjoin(ConsensusLabel, col(ConsensusLabel.task_id) == col(ReviewCase.task_id))
        .order_by(col(ReviewCase.priority).desc(), col(ReviewCase.id).desc())
    ).all()


def rows(
    session: Session, project_id: int, case_ids: Sequence[int]
) -> Sequence[tuple[ReviewCase, Record, ConsensusLabel | None]]:
    """These cases with their records, in the order of their ids."""
    found: list[tuple[ReviewCase, Record, ConsensusLabel | None]] = []
    for start in range(0, len(case_ids), CHUNK):
        found.extend(
            session.exec(
                select(ReviewCase, Record, ConsensusLabel)
                .join(Task, col(Task.id) == col(ReviewCase.task_id))
                .join(Record, col(Record.id) == col(Task.record_id))
                .outerjoin(ConsensusLabel, col(ConsensusLabel.task_id) == col(ReviewCase.task_id))
                .where(
                    ReviewCase.project_id == project_id,
                    col(ReviewCase.id).in_(case_ids[start : start + CHUNK]),
                )
                .order_by(col(ReviewCase.id))
            ).all()
        )
    return found


def count(session: Session, project_id: int, wanted: CaseFilter) -> int:
    """How many cases fit."""
    if wanted.reason is not None and wanted == CaseFilter(state=wanted.state, reason=wanted.reason):
        # The reasons' own index answers this without reading a case.
        reasons = _with_reason(project_id, wanted.reason, wanted.state).subquery()
        return session.exec(select(func.count(reasons.c.case_id.distinct()))).one()
    return session.exec(
        select(func.count()).select_from(ReviewCase).where(*_conditions(project_id, wanted))
    ).one()


def neighbour(
    session: Session, current: ReviewCase, wanted: CaseFilter, *, is_next: bool
) -> int | None:
    """The id of the case that follows (or precedes) the current one in the queue."""
    here = (current.priority, current.id)
    place = (col(ReviewCase.priority), col(ReviewCase.id))
    if is_next:
        beyond = (place[0] < here[0]) | ((place[0] == here[0]) & (place[1] < here[1]))
        order = (place[0].desc(), place[1].desc())
    else:
        beyond = (place[0] > here[0]) | ((place[0] == here[0]) & (place[1] > here[1]))
        order = (place[0].asc(), place[1].asc())
    return session.exec(
        select(ReviewCase.id)
        .where(*_conditions(current.project_id, wanted), beyond)
        .order_by(*order)
        .limit(1)
    ).first()


def state_counts(session: Session, project_id: int) -> dict[str, int]:
    """State to the number of cases in it."""
    rows = session.exec(
        select(ReviewCase.state, func.count())
        .where(ReviewCase.project_id == project_id)
        .group_by(ReviewCase.state)
    )
    return dict(rows.all())


def reason_counts(session: Session, project_id: int, state: str) -> dict[str, int]:
    """Reason code to the number of cases of that state that have it."""
    rows = session.exec(
        select(CaseReason.code, func.count())
        .where(CaseReason.project_id == project_id, CaseReason.state == state)
        .group_by(CaseReason.code)
        .order_by(func.count().desc(), CaseReason.code)
    )
    return dict(rows.all())


def kinds(session: Session, project_id: int) -> Sequence[str]:
    """Kinds of records that have cases, in order."""
    found: list[str] = []
    while True:
        # From one kind to the next by the index: a distinct would read every case.
        least = select(func.min(ReviewCase.kind)).where(ReviewCase.project_id == project_id)
        if found:
            least = least.where(col(ReviewCase.kind) > found[-1])
        kind = session.exec(least).one()
        if kind is None:
            return found
        found.append(kind)


def _tasks_answered_by(project_id: int, annotator_id: int) -> Select[tuple[int]]:
    """First tasks of the records that the person has answered or skipped."""
    touched = columns(col(Annotation.task_id)).where(col(Annotation.annotator_id) == annotator_id)
    records = columns(first_id()).where(col(Task.id).in_(touched))
    given = answers(project_id, first_id().in_(records))
    return (
        columns(given.c.first_id)
        .join(Annotation, col(Annotation.id) == given.c.id)
        .where(col(Annotation.annotator_id) == annotator_id)
    )


def _conditions(project_id: int, wanted: CaseFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [col(ReviewCase.project_id) == project_id]
    if wanted.state is not None:
        found.append(col(ReviewCase.state) == wanted.state)
    if wanted.reason is not None:
        found.append(col(ReviewCase.id).in_(_with_reason(project_id, wanted.reason, wanted.state)))
    if wanted.kind is not None:
        found.append(col(ReviewCase.kind) == wanted.kind)
    if wanted.annotator is not None:
        found.append(col(ReviewCase.task_id).in_(_tasks_answered_by(project_id, wanted.annotator)))
    if wanted.search:
        # In this form an index alone answers it, without reading any record.
        dataset = select(Project.dataset_id).where(Project.id == project_id).scalar_subquery()
        records = select(Record.id).where(
            Record.dataset_id == dataset,
            col(Record.external_id).startswith(wanted.search, autoescape=True),
        )
        named = select(Task.id).where(
            Task.project_id == project_id, col(Task.record_id).in_(records)
        )
        found.append(col(ReviewCase.task_id).in_(named))
    return found


def _with_reason(project_id: int, reason: str, state: str | None) -> SelectOfScalar[int]:
    """Ids of cases that have the reason, or one of its group; an id for each such reason."""
    code = col(CaseReason.code)
    fits = code.startswith(reason, autoescape=True) if reason.endswith(":") else code == reason
    found = select(CaseReason.case_id).where(CaseReason.project_id == project_id, fits)
    return found if state is None else found.where(CaseReason.state == state)
