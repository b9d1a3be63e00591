"""The guideline that counts: every query of this room on guidelines."""

from sqlmodel import Session, col, select

from backend.models import Guideline


def current_guideline(session: Session, project_id: int) -> Guideline | None:
    """The version that was published last; None: what the label schema says still counts."""
    return session.exec(
        select(Guideline)
        .where(Guideline.project_id == project_id, col(Guideline.published_at).is_not(None))
        .order_by(col(Guideline.published_at).desc(), col(Guideline.version).desc())
        .limit(1)
    ).first()
