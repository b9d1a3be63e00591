"""Every query on findings about labels."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert
from sqlmodel import Session, col, select

from backend.models import Annotator, LabelFinding, ModelVersion, Record, ReviewCase, Task
from backend.registry.repository import ASSESSMENT
from backend.suspected_labels.schemas import FindingKind


def versions(session: Session, project_id: int) -> Sequence[ModelVersion]:
    """Every model version of the project, newest first."""
    return session.exec(
        select(ModelVersion)
        .where(ModelVersion.project_id == project_id)
        .order_by(col(ModelVersion.number).desc())
    ).all()


def version(session: Session, model_version_id: int) -> ModelVersion | None:
    """The model version with that id."""
    return session.get(ModelVersion, model_version_id)


def keep_assessment(session: Session, row: ModelVersion, assessment: dict[str, Any]) -> None:
    """The measurements are kept with the model version that they are about."""
    row.metrics = {**row.metrics, ASSESSMENT: assessment}
    session.add(row)
    session.flush()


def put(session: Session, model_version_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """These findings of the model version are stored, in place of others about the same tasks."""
    drop(session, model_version_id, [row["task_id"] for row in rows])
    session.execute(insert(LabelFinding), rows)


def drop(session: Session, model_version_id: int, task_ids: Sequence[int]) -> None:
    """The model version has no findings about these tasks."""
    session.execute(
        delete(LabelFinding).where(
            col(LabelFinding.model_version_id) == model_version_id,
            col(LabelFinding.task_id).in_(task_ids),
        )
    )


def tasks_judged(session: Session, model_version_id: int) -> set[int]:
    """Tasks that the model version has findings about."""
    query = select(LabelFinding.task_id).where(LabelFinding.model_version_id == model_version_id)
    return set(session.exec(query))


def findings(
    session: Session, model_version_id: int, kind: FindingKind, *, offset: int, limit: int
) -> Sequence[tuple[LabelFinding, Task, Record]]:
    """The version's findings of that kind, the most telling first."""
    return session.exec(
        select(LabelFinding, Task, Record)
        .join(Task, col(Task.id) == col(LabelFinding.task_id))
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(*_of_kind(model_version_id, kind))
        .order_by(_order(kind), col(LabelFinding.task_id))
        .offset(offset)
        .limit(limit)
    ).all()


def count(session: Session, model_version_id: int, kind: FindingKind) -> int:
    """How many findings of that kind the version has."""
    return session.exec(
        select(func.count())
        .select_from(LabelFinding)
        .join(Task, col(Task.id) == col(LabelFinding.task_id))
        .where(*_of_kind(model_version_id, kind))
    ).one()


def suspicions(session: Session, model_version_id: int) -> Sequence[tuple[str, float]]:
    """(grade, suspicion) of every finding of the version."""
    return session.exec(
        select(LabelFinding.grade, LabelFinding.suspicion)
        .join(Task, col(Task.id) == col(LabelFinding.task_id))
        .where(*_of_kind(model_version_id, "all"))
    ).all()


def case_ids(session: Session, task_ids: Sequence[int]) -> dict[int, int]:
    """Task id to its review case, for tasks that have one."""
    rows = session.exec(
        select(ReviewCase.task_id, ReviewCase.id).where(col(ReviewCase.task_id).in_(task_ids))
    )
    return dict(rows.all())


def annotator_names(session: Session, annotator_ids: Sequence[int]) -> dict[int, str]:
    """Annotator id to the name that people know."""
    rows = session.exec(select(Annotator).where(col(Annotator.id).in_(annotator_ids)))
    return {row.id: _name(row) for row in rows}


def annotator_emails(session: Session, annotator_ids: Sequence[int]) -> dict[int, str]:
    """Annotator id to the e-mail address, of those that have one."""
    rows = session.exec(select(Annotator).where(col(Annotator.id).in_(annotator_ids)))
    return {row.id: row.email for row in rows if row.email}


def _name(row: Annotator) -> str:
    return row.name or row.email or f"#{row.label_studio_user_id}"


def _of_kind(model_version_id: int, kind: FindingKind) -> list[ColumnElement[bool]]:
    conditions = [
        col(LabelFinding.model_version_id) == model_version_id,
        col(Task.deleted_at).is_(None),
    ]
    if kind == "suspects":
        conditions.append(col(LabelFinding.is_suspect).is_(True))
    elif kind in {"harmful", "redundant", "important"}:
        conditions.append(col(LabelFinding.value_group) == kind)
    return conditions


def _order(kind: FindingKind) -> ColumnElement[Any]:
    match kind:
        case "relabel":
            return col(LabelFinding.relabel_score).desc()
        case "redundant":
            return col(LabelFinding.value).desc()
        case "important":
            # Those that the classifier is least sure of teach it most.
            return col(LabelFinding.value).asc()
        case _:
            return col(LabelFinding.suspicion).desc()
