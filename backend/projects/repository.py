"""Every query on projects."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.audit.repository import unused_id
from backend.models import Dataset, Project, SyncCursor


def lock_project(session: Session, project_id: int) -> Project | None:
    """The project; who adds something to it waits until the transaction ends."""
    return session.exec(
        select(Project)
        .where(Project.id == project_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def insert(
    session: Session,
    *,
    name: str,
    dataset_id: int,
    label_schema: dict[str, Any],
    policy: dict[str, Any],
    now: datetime,
) -> Project | None:
    """A new project row with its (empty) sync cursor; None: another has the name, nothing changed.

    Looking for the name first is not enough: another transaction may take it meanwhile.
    """
    project = Project(
        name=name,
        dataset_id=dataset_id,
        label_schema=label_schema,
        policy=policy,
        created_at=now,
    )
    if (unused := unused_id(session, Project)) is not None:
        project.id = unused
    try:
        with session.begin_nested():
            session.add(project)
    except IntegrityError:
        return None
    session.add(SyncCursor(project_id=project.id))
    session.flush()
    return project


def get(session: Session, project_id: int) -> Project | None:
    """The project with that id."""
    return session.get(Project, project_id)


def find_by_name(session: Session, name: str) -> Project | None:
    """The project of that name."""
    return session.exec(select(Project).where(Project.name == name)).one_or_none()


def find_by_label_studio_id(session: Session, label_studio_project_id: int) -> Project | None:
    """The project that Label Studio knows by that id."""
    return session.exec(
        select(Project).where(Project.label_studio_project_id == label_studio_project_id)
    ).one_or_none()


def list_all(session: Session) -> Sequence[Project]:
    """Every project, oldest first."""
    return session.exec(select(Project).order_by(col(Project.id))).all()


def find_dataset(session: Session, name: str) -> Dataset | None:
    """The dataset of that name."""
    return session.exec(select(Dataset).where(Dataset.name == name)).one_or_none()


def get_dataset(session: Session, dataset_id: int) -> Dataset | None:
    """The dataset with that id."""
    return session.get(Dataset, dataset_id)
