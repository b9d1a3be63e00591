"""Every query of the review desk on cases and what their page shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, update
from sqlmodel import Session, col, select

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


def add_cases(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """New cases, with their reasons' codes to filter by."""
    if not rows:
        return
    session.execute(insert(ReviewCase), list(rows))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        ids = dict(
            session.exec(
                select(ReviewCase.task_id, ReviewCase.id).where(
                    col(ReviewCase.task_id).in_([row["task_id"] for row in part])
                )
            ).all()
        )
        codes = [
            {
                "case_id": ids[row["task_id"]],
                "project_id": row["project_id"],
                "state": row["state"],
                "code": reason["code"],
            }
            for row in part
            for reason in row["reasons"]
        ]
        if codes:
            session.execute(insert(CaseReason), codes)


def change_case(
    session: Session, case_id: int, version: int, values: Mapping[str, Any], now: datetime
) -> bool:
    """The case has these values and the next version; False if it is not at ``version``."""
    changed = session.execute(
        update(ReviewCase)
        .where(col(ReviewCase.id) == case_id, col(ReviewCase.version) == version)
        .values(version=version + 1, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        return False
    held = session.get(ReviewCase, case_id)
    assert held is not None
    session.refresh(held)
    _keep_reasons(session, held)
    return True


def _keep_reasons(session: Session, held: ReviewCase) -> None:
    session.execute(delete(CaseReason).where(col(CaseReason.case_id) == held.id))
    codes = [
        {
            "case_id": held.id,
            "project_id": held.project_id,
            "state": held.state,
            "code": reason["code"],
        }
        for reason in held.reasons
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
