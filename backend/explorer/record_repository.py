"""Every query on what one record has been through in a project."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from backend.machine_labels.repository import PREPARING
from backend.models import (
    Acceptance,
    Annotation,
    Batch,
    LabelFinding,
    MachineLabel,
    ModelVersion,
    Prediction,
    Record,
    ReviewCase,
    Task,
)


def record(session: Session, dataset_id: int, record_id: int) -> Record | None:
    """That version of a record, if it is one of the dataset's."""
    found = session.get(Record, record_id)
    return found if found is not None and found.dataset_id == dataset_id else None


def tasks(
    session: Session, project_id: int, record_ids: Sequence[int]
) -> Sequence[tuple[Task, Batch]]:
    """The tasks about these versions of a record, oldest first, each with its batch."""
    return session.exec(
        select(Task, Batch)
        .join(Batch, col(Batch.id) == col(Task.batch_id))
        .where(Task.project_id == project_id, col(Task.record_id).in_(record_ids))
        .order_by(col(Task.id))
    ).all()


def revisions(session: Session, task_ids: Sequence[int]) -> Sequence[Annotation]:
    """Every revision of the answers to these tasks, each answer's oldest first."""
    return session.exec(
        select(Annotation)
        .where(col(Annotation.task_id).in_(task_ids))
        .order_by(
            col(Annotation.label_studio_annotation_id),
            col(Annotation.revised_at),
            col(Annotation.revision),
        )
    ).all()


def case_of_task(session: Session, task_id: int) -> ReviewCase | None:
    """The review case of the record with that first task."""
    return session.exec(select(ReviewCase).where(ReviewCase.task_id == task_id)).one_or_none()


def predictions(session: Session, task_ids: Sequence[int]) -> Sequence[tuple[Prediction, int]]:
    """What model versions (by number) said when these tasks were made, oldest first."""
    return session.exec(
        select(Prediction, ModelVersion.number)
        .join(ModelVersion, col(ModelVersion.id) == col(Prediction.model_version_id))
        .where(col(Prediction.task_id).in_(task_ids))
        .order_by(col(Prediction.id))
    ).all()


def newest_finding(session: Session, task_ids: Sequence[int]) -> tuple[LabelFinding, int] | None:
    """The newest model version's opinion, by number, on the label of one of these tasks."""
    return session.exec(
        select(LabelFinding, ModelVersion.number)
        .join(ModelVersion, col(ModelVersion.id) == col(LabelFinding.model_version_id))
        .where(col(LabelFinding.task_id).in_(task_ids))
        .order_by(col(ModelVersion.number).desc(), col(LabelFinding.id).desc())
    ).first()


def machine_labels(
    session: Session, project_id: int, record_ids: Sequence[int]
) -> Sequence[tuple[MachineLabel, Acceptance, int]]:
    """Machine labels of these versions, newest first, with acceptance and model version's number.

    Also those that do not count any more.
    """
    return session.exec(
        select(MachineLabel, Acceptance, ModelVersion.number)
        .join(Acceptance, col(Acceptance.id) == col(MachineLabel.acceptance_id))
        .join(ModelVersion, col(ModelVersion.id) == col(Acceptance.model_version_id))
        .where(
            Acceptance.project_id == project_id,
            Acceptance.state != PREPARING,
            col(MachineLabel.record_id).in_(record_ids),
        )
        .order_by(col(MachineLabel.id).desc())
    ).all()
