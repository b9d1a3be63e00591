"""Up to where a project's answers, decisions and settings are, and which records changed since.

Revisions, decisions, predictions and tasks are only ever added, so what is new lies above the
largest id that was seen. An id below it can still appear (a transaction that ended later), and
people become one annotator: the number of the rows seen, and the sum of who gave them, tell.
What changes many records at once, or is rare, is told without saying which: then it is all.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, func
from sqlalchemy import select as columns
from sqlmodel import Session, SQLModel, col, select

from backend.loop.answer_repository import first_id
from backend.loop.repository import IMPORTED_KEY
from backend.models import (
    Annotation,
    ConsensusLabel,
    Decision,
    ModelVersion,
    Prediction,
    Project,
    Record,
    ReviewCase,
    Task,
)
from backend.records.repository import generation
from backend.registry.repository import ASSESSMENT

Marks = dict[str, Any]
"""As JSON keeps them: equal marks, equal labels and cases."""
RULES = 3
"""Raised when other labels or cases follow from the same answers than before: all are renewed."""


def marks_of(session: Session, project: Project, judge: ModelVersion | None) -> Marks:
    """The marks of this moment; ``judge`` is the model version whose findings count.

    Read them before what they are the marks of: what comes in between is seen the next time.
    """
    is_old = col(Record.is_current).is_(False)
    tasks, wanted, deleted, deleted_at, imported, old, old_shown, newest = session.execute(
        columns(
            func.count(),
            func.sum(Task.annotators_wanted),
            func.count(col(Task.deleted_at)),
            func.max(Task.deleted_at),
            func.sum(_one_if(col(Task.key).startswith(IMPORTED_KEY, autoescape=True))),
            func.sum(_one_if(is_old)),
            func.sum(_one_if(is_old & col(Task.label_studio_task_id).is_not(None))),
            func.max(Task.id),
        )
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(col(Task.project_id) == project.id)
    ).one()
    return {
        "annotations": _annotations(session, project.id),
        "decisions": _numbers(session, Decision, _of_decisions(project.id)),
        "predictions": _numbers(session, Prediction, _of_predictions(project.id)),
        "tasks": [tasks, newest or 0],
        "wanted": int(wanted or 0),
        "deleted": [deleted, deleted_at.isoformat() if deleted_at else None],
        "current": [
            generation(session, project.dataset_id),
            int(imported or 0),
            int(old or 0),
            int(old_shown or 0),
        ],
        "schema": _digest(project.label_schema),
        "settings": _digest([RULES, project.policy]),
        "findings": [judge.id, _digest(judge.metrics.get(ASSESSMENT))] if judge else None,
    }


def is_fitted_to(fitted: Marks | None, marks: Marks) -> bool:
    """True if a model that was fitted at ``fitted`` is the one that would be fitted now."""
    names = ("annotations", "predictions", "deleted", "schema", "findings")
    return fitted is not None and all(fitted[name] == marks[name] for name in names)


def records_changed(
    session: Session, project_id: int, before: Marks | None, now: Marks
) -> set[int] | None:
    """First tasks of records whose label or case may have changed; None: any may have."""
    if before is None or any(
        before[name] != now[name]
        for name in ("deleted", "current", "schema", "settings", "findings")
    ):
        return None
    found: set[int] = set()
    if before["annotations"] != now["annotations"]:
        newest = before["annotations"][1]
        if _annotations(session, project_id, newest) != before["annotations"]:
            return None
        found.update(
            session.exec(
                select(first_id())
                .join(Annotation, col(Annotation.task_id) == col(Task.id))
                .where(Annotation.project_id == project_id, col(Annotation.id) > newest)
            )
        )
    for name, model, of_project, task_id in (
        ("decisions", Decision, _of_decisions(project_id), col(ReviewCase.task_id)),
        ("predictions", Prediction, _of_predictions(project_id), col(Task.id)),
        ("tasks", Task, [col(Task.project_id) == project_id], first_id()),
    ):
        if before[name] == now[name]:
            continue
        newest = before[name][1]
        row_id: Any = model.id
        if _numbers(session, model, [*of_project, row_id <= newest]) != before[name]:
            return None
        found.update(
            first
            for (first,) in session.execute(columns(task_id).where(*of_project, row_id > newest))
        )
    if before["wanted"] != now["wanted"]:
        found.update(
            session.exec(
                select(ConsensusLabel.task_id)
                .join(Task, col(Task.id) == col(ConsensusLabel.task_id))
                .where(
                    ConsensusLabel.project_id == project_id,
                    col(Task.annotators_wanted).is_distinct_from(
                        col(ConsensusLabel.answers_wanted)
                    ),
                )
            )
        )
    return found


def _annotations(session: Session, project_id: int, newest: int | None = None) -> list[int]:
    """Number of revisions, largest id, sum of who gave them; those up to ``newest``."""
    query = select(func.count(), func.max(Annotation.id), func.sum(Annotation.annotator_id)).where(
        Annotation.project_id == project_id
    )
    if newest is not None:
        query = query.where(col(Annotation.id) <= newest)
    return [int(value or 0) for value in session.exec(query).one()]


def _numbers(session: Session, model: type[SQLModel], conditions: Sequence[Any]) -> list[int]:
    row_id: Any = model.id  # type: ignore[attr-defined]
    count, newest = session.execute(
        columns(func.count(row_id), func.max(row_id)).where(*conditions)
    ).one()
    return [count, newest or 0]


def _of_decisions(project_id: int) -> list[Any]:
    return [
        col(ReviewCase.id) == col(Decision.case_id),
        col(ReviewCase.project_id) == project_id,
    ]


def _of_predictions(project_id: int) -> list[Any]:
    return [col(Task.id) == col(Prediction.task_id), col(Task.project_id) == project_id]


def _one_if(condition: Any) -> Any:
    return case((condition, 1), else_=0)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
