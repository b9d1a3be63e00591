"""Every query of the review desk on cases and what their page shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from backend.core.parts import parts
from backend.models import (
    Annotation,
    Annotator,
    CaseReason,
    ConsensusLabel,
    Guideline,
    ModelVersion,
    Prediction,
    Record,
    ReviewCase,
    Task,
)

CHUNK = 500
"""Ids or rows a statement: below the 999 parameters that SQLite allowed before 3.32 (2020)."""


def task(session: Session, task_id: int) -> Task | None:
    """The task with that id."""
    return session.get(Task, task_id)


def record(session: Session, record_id: int) -> Record | None:
    """The record with that id."""
    return session.get(Record, record_id)


def consensus(session: Session, task_id: int) -> ConsensusLabel | None:
    """The record's consensus label."""
    return session.get(ConsensusLabel, task_id)


def case(session: Session, case_id: int) -> ReviewCase | None:
    """The case with that id."""
    return session.get(ReviewCase, case_id)


def add_cases(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """New cases, with their reasons' codes to filter by; how many.

    A task that has a case by now keeps that one.
    """
    added = 0
    for part in parts(rows):
        of_part = col(ReviewCase.task_id).in_([row["task_id"] for row in part])
        present = set(session.exec(select(ReviewCase.task_id).where(of_part)))
        new = [row for row in part if row["task_id"] not in present]
        if not new:
            continue
        session.execute(insert(ReviewCase), new)
        ids = dict(session.exec(select(ReviewCase.task_id, ReviewCase.id).where(of_part)).all())
        _add_reasons(session, {ids[row["task_id"]] or 0: row for row in new})
        added += len(new)
    return added


def change_case(
    session: Session, case_id: int, version: int, values: Mapping[str, Any], now: datetime
) -> bool:
    """The case has these values and the next version; False if it is not at ``version``."""
    return case_id in change_cases(session, {case_id: (version, values)}, now)


def change_cases(
    session: Session, wanted: Mapping[int, tuple[int, Mapping[str, Any]]], now: datetime
) -> set[int]:
    """Cases (id to version and values) have these values and the next version; their ids.

    One that is not at that version any more is left as it is.
    """
    changed: set[int] = set()
    for part in parts(sorted(wanted)):
        held = session.exec(
            select(ReviewCase)
            .where(col(ReviewCase.id).in_(part))
            .order_by(col(ReviewCase.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
        for case in held:
            version, values = wanted[case.id]
            if case.version != version:
                continue
            for name, value in values.items():
                setattr(case, name, value)
            case.version, case.changed_at = version + 1, now
            session.add(case)
            changed.add(case.id)
        session.flush()
        session.execute(
            delete(CaseReason).where(col(CaseReason.case_id).in_([*changed.intersection(part)]))
        )
        _add_reasons(session, {case.id: case.model_dump() for case in held if case.id in changed})
    return changed


def _add_reasons(session: Session, cases: Mapping[int, Mapping[str, Any]]) -> None:
    codes = [
        {
            "case_id": case_id,
            "project_id": case["project_id"],
            "state": case["state"],
            "code": reason["code"],
        }
        for case_id, case in cases.items()
        for reason in case["reasons"]
    ]
    if codes:
        session.execute(insert(CaseReason), codes)


def annotators(session: Session, project_id: int) -> Sequence[Annotator]:
    """Who answered in the project, by name."""
    answered = select(Annotation.id).where(
        Annotation.annotator_id == Annotator.id, Annotation.project_id == project_id
    )
    return session.exec(
        select(Annotator)
        .where(answered.exists())
        .order_by(col(Annotator.name), col(Annotator.email), col(Annotator.id))
    ).all()


def annotator(session: Session, annotator_id: int) -> Annotator | None:
    """The annotator with that id."""
    return session.get(Annotator, annotator_id)


def copies(session: Session, task_id: int) -> Sequence[Task]:
    """The task and every copy of it, by attempt."""
    return session.exec(
        select(Task)
        .where((col(Task.id) == task_id) | (col(Task.original_id) == task_id))
        .order_by(col(Task.attempt))
    ).all()


def revision_counts(session: Session, task_ids: Sequence[int]) -> dict[int, int]:
    """Label Studio's annotation id to the number of its revisions."""
    rows = session.exec(
        select(Annotation.label_studio_annotation_id, func.count())
        .where(col(Annotation.task_id).in_(task_ids))
        .group_by(col(Annotation.label_studio_annotation_id))
    )
    return dict(rows.all())


def newer_record(session: Session, old: Record) -> Record | None:
    """The version that replaced the record, if any."""
    if old.is_current:
        return None
    return session.exec(
        select(Record).where(
            Record.dataset_id == old.dataset_id,
            Record.external_id == old.external_id,
            col(Record.is_current).is_(True),
        )
    ).one_or_none()


def prediction(session: Session, task_id: int) -> tuple[Prediction, int] | None:
    """The suggestion that came with the task, and its model version's number."""
    return session.exec(
        select(Prediction, ModelVersion.number)
        .join(ModelVersion, col(ModelVersion.id) == col(Prediction.model_version_id))
        .where(Prediction.task_id == task_id)
        .order_by(col(Prediction.id))
    ).first()


def predictions(session: Session, task_ids: Sequence[int]) -> dict[int, Prediction]:
    """Task id to the suggestion that came with it, for those that had one."""
    found: dict[int, Prediction] = {}
    for start in range(0, len(task_ids), CHUNK):
        part = select(Prediction).where(
            col(Prediction.task_id).in_(task_ids[start : start + CHUNK])
        )
        for row in session.exec(part.order_by(col(Prediction.id).desc())):
            found[row.task_id] = row
    return found


def newest_guideline(session: Session, project_id: int) -> Guideline | None:
    """The project's latest guideline, published or not."""
    return session.exec(
        select(Guideline)
        .where(Guideline.project_id == project_id)
        .order_by(col(Guideline.version).desc())
    ).first()
