"""Every query on acceptances and machine labels."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.loop.repository import CHOSEN
from backend.models import (
    Acceptance,
    Annotation,
    Batch,
    MachineLabel,
    ModelVersion,
    Record,
    Task,
)

PREPARING = "preparing"
"""State of an acceptance whose labels are being written: nobody is told of it yet."""


def add(session: Session, row: Acceptance) -> None:
    """The row is stored and has its id."""
    session.add(row)
    session.flush()


def add_labels(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """The machine labels are stored."""
    session.execute(insert(MachineLabel), rows)


def accept(session: Session, acceptance_id: int) -> Acceptance:
    """The decision, whose labels are all stored, stands from now on."""
    row = session.get_one(Acceptance, acceptance_id)
    row.state = "accepted"
    session.add(row)
    return row


def labels_in_preparation(session: Session, project_id: int) -> list[int]:
    """Ids of labels whose acceptance is not complete: written by an attempt that ended early."""
    return list(
        session.exec(
            select(MachineLabel.id)
            .join(Acceptance, col(Acceptance.id) == col(MachineLabel.acceptance_id))
            .where(Acceptance.project_id == project_id, Acceptance.state == PREPARING)
        )
    )


def drop_labels(session: Session, label_ids: Sequence[int]) -> None:
    """These machine labels are gone."""
    session.exec(delete(MachineLabel).where(col(MachineLabel.id).in_(label_ids)))


def drop_preparations(session: Session, project_id: int) -> None:
    """The project has no incomplete acceptance; such have no labels any more."""
    session.exec(
        delete(Acceptance).where(
            col(Acceptance.project_id) == project_id, col(Acceptance.state) == PREPARING
        )
    )


def latest(session: Session, project_id: int) -> Acceptance | None:
    """The project's newest decision."""
    return session.exec(
        select(Acceptance)
        .where(Acceptance.project_id == project_id, Acceptance.state != PREPARING)
        .order_by(col(Acceptance.id).desc())
    ).first()


def standing_acceptance(session: Session, project_id: int) -> Acceptance | None:
    """The acceptance that was neither replaced nor withdrawn; a refusal leaves it in force."""
    row = session.exec(
        select(Acceptance)
        .where(
            Acceptance.project_id == project_id,
            col(Acceptance.state).not_in(["refused", PREPARING]),
        )
        .order_by(col(Acceptance.id).desc())
    ).first()
    return row if row is not None and row.state == "accepted" else None


def about_version(session: Session, model_version_id: int) -> Sequence[Acceptance]:
    """Every decision about that model version, oldest first."""
    return session.exec(
        select(Acceptance)
        .where(Acceptance.model_version_id == model_version_id, Acceptance.state != PREPARING)
        .order_by(col(Acceptance.id))
    ).all()


def list_all(session: Session, project_id: int) -> Sequence[tuple[Acceptance, int]]:
    """Every decision of the project with its model version's number, oldest first."""
    return session.exec(
        select(Acceptance, ModelVersion.number)
        .join(ModelVersion, col(ModelVersion.id) == col(Acceptance.model_version_id))
        .where(Acceptance.project_id == project_id, Acceptance.state != PREPARING)
        .order_by(col(Acceptance.id))
    ).all()


def version_number(session: Session, model_version_id: int) -> int:
    """The number of that model version."""
    return session.exec(
        select(ModelVersion.number).where(ModelVersion.id == model_version_id)
    ).one()


def _has_task(project_id: int) -> ColumnElement[bool]:
    """People are or were asked about the label's record: theirs is the better answer."""
    return exists().where(
        col(Task.project_id) == project_id, col(Task.record_id) == col(MachineLabel.record_id)
    )


def label_page(
    session: Session, acceptance: Acceptance, *, after: int, limit: int, grade: str | None = None
) -> Sequence[tuple[MachineLabel, str]]:
    """Its labels that count, with external ids, in id order: of current records without a task."""
    query = (
        select(MachineLabel, Record.external_id)
        .join(Record, col(Record.id) == col(MachineLabel.record_id))
        .where(
            MachineLabel.acceptance_id == acceptance.id,
            col(MachineLabel.id) > after,
            col(Record.is_current),
            ~_has_task(acceptance.project_id),
        )
        .order_by(col(MachineLabel.id))
        .limit(limit)
    )
    if grade is not None:
        query = query.where(MachineLabel.grade == grade)
    return session.exec(query).all()


def count_labels(session: Session, acceptance: Acceptance) -> int:
    """Its labels that count: of current records without a task."""
    return session.exec(
        select(func.count())
        .select_from(MachineLabel)
        .join(Record, col(Record.id) == col(MachineLabel.record_id))
        .where(
            MachineLabel.acceptance_id == acceptance.id,
            col(Record.is_current),
            ~_has_task(acceptance.project_id),
        )
    ).one()


def count_drawn(session: Session, acceptance_id: int) -> int:
    """Its labels drawn to be checked by people."""
    return session.exec(
        select(func.count()).where(
            MachineLabel.acceptance_id == acceptance_id, col(MachineLabel.is_audited)
        )
    ).one()


def labelled_record_ids(session: Session, acceptance_id: int) -> set[int]:
    """The records that it labels."""
    return set(
        session.exec(
            select(MachineLabel.record_id).where(MachineLabel.acceptance_id == acceptance_id)
        )
    )


def unchecked_record_ids(session: Session, acceptance: Acceptance) -> list[int]:
    """Records drawn to be checked that are current and have no task yet, ascending."""
    return list(
        session.exec(
            select(MachineLabel.record_id)
            .join(Record, col(Record.id) == col(MachineLabel.record_id))
            .where(
                MachineLabel.acceptance_id == acceptance.id,
                col(MachineLabel.is_audited),
                col(Record.is_current),
                ~_has_task(acceptance.project_id),
            )
            .order_by(col(MachineLabel.record_id))
        )
    )


def tasks_of_checks(session: Session, acceptance: Acceptance) -> dict[int, str]:
    """First task's id to the machine's grade for every check of what ``acceptance`` promises.

    Also checks drawn for an earlier acceptance of the same model version: its grades are the
    same, and those at or above the threshold of now are promised still. A record that somebody
    chose is no check, though it was drawn for one: the choice is no random one, and its machine
    label counts no more.
    """
    earlier = aliased(Acceptance)
    rows = session.exec(
        select(Task.id, MachineLabel.grade)
        .join(MachineLabel, col(MachineLabel.record_id) == col(Task.record_id))
        .join(earlier, col(earlier.id) == col(MachineLabel.acceptance_id))
        .join(Batch, col(Batch.id) == col(Task.batch_id))
        .where(
            Task.project_id == acceptance.project_id,
            Task.purpose == "label",
            Batch.strategy != CHOSEN,
            earlier.project_id == acceptance.project_id,
            earlier.model_version_id == acceptance.model_version_id,
            col(MachineLabel.is_audited),
            col(MachineLabel.confidence) >= acceptance.threshold,
        )
        .order_by(col(Task.id))
    )
    return dict(rows.all())


def count_tests(session: Session, project_id: int) -> int:
    """Decisions of the project so far that spent some of the promise's error probability."""
    rows = session.exec(
        select(Acceptance.evidence).where(
            Acceptance.project_id == project_id,
            col(Acceptance.state).not_in(["withdrawn", PREPARING]),
        )
    )
    return sum(bool(evidence.get("is_test")) for evidence in rows)


def newest_annotation(session: Session, project_id: int) -> int:
    """The largest annotation id of the project, 0 without any: grows with every answer."""
    newest = session.exec(
        select(func.max(Annotation.id)).where(Annotation.project_id == project_id)
    ).one()
    return newest or 0
