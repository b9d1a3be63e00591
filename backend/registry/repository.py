"""Every query on model versions and promotions."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.models import ModelVersion, Promotion

MOVES_CHAMPION = ("promoted", "rolled_back")
ASSESSMENT = "label_findings"
"""The metric of a model version whose labels were judged: what was measured about them."""


def next_number(session: Session, project_id: int) -> int:
    """The number of the project's next model version, from 1."""
    largest = session.exec(
        select(func.max(ModelVersion.number)).where(ModelVersion.project_id == project_id)
    ).one()
    return (largest or 0) + 1


def find_by_fingerprint(session: Session, project_id: int, fingerprint: str) -> ModelVersion | None:
    """The model version trained on exactly that snapshot."""
    return session.exec(
        select(ModelVersion).where(
            ModelVersion.project_id == project_id, ModelVersion.fingerprint == fingerprint
        )
    ).one_or_none()


def find_by_number(session: Session, project_id: int, number: int) -> ModelVersion | None:
    """The project's model version of that number."""
    return session.exec(
        select(ModelVersion).where(
            ModelVersion.project_id == project_id, ModelVersion.number == number
        )
    ).one_or_none()


def list_versions(session: Session, project_id: int) -> Sequence[ModelVersion]:
    """The project's model versions, oldest first."""
    return session.exec(
        select(ModelVersion)
        .where(ModelVersion.project_id == project_id)
        .order_by(col(ModelVersion.number))
    ).all()


def list_promotions(session: Session, project_id: int) -> Sequence[Promotion]:
    """Every decision about the project's champion, oldest first."""
    return session.exec(
        select(Promotion).where(Promotion.project_id == project_id).order_by(col(Promotion.id))
    ).all()


def assessed_version(session: Session, project_id: int) -> ModelVersion | None:
    """The newest model version whose labels were judged."""
    newest_first = reversed(list_versions(session, project_id))
    return next((version for version in newest_first if ASSESSMENT in version.metrics), None)


def champion(session: Session, project_id: int) -> ModelVersion | None:
    """The model version that answers now; none before the first promotion."""
    return session.exec(
        select(ModelVersion)
        .join(Promotion, col(Promotion.model_version_id) == col(ModelVersion.id))
        .where(Promotion.project_id == project_id, col(Promotion.kind).in_(MOVES_CHAMPION))
        .order_by(col(Promotion.id).desc())
    ).first()


def add(session: Session, row: ModelVersion | Promotion) -> None:
    """The row is stored and has its id."""
    session.add(row)
    session.flush()
