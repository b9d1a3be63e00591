"""Every query on saved views."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.models import SavedView


def views(session: Session, project_id: int, reader: str) -> Sequence[SavedView]:
    """The reader's own views and those that everybody sees, by name."""
    return session.exec(
        select(SavedView)
        .where(
            SavedView.project_id == project_id,
            (col(SavedView.owner) == reader) | col(SavedView.is_shared),
        )
        .order_by(col(SavedView.name), col(SavedView.id))
    ).all()


def find(session: Session, project_id: int, view_id: int) -> SavedView | None:
    """The project's view with that id."""
    return session.exec(
        select(SavedView).where(SavedView.project_id == project_id, SavedView.id == view_id)
    ).one_or_none()


def put(session: Session, row: SavedView) -> bool:
    """The view is stored as it is now; False: its owner has another of that name."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        session.expire_all()
        return False
    return True


def drop(session: Session, row: SavedView) -> None:
    """The view is gone."""
    session.delete(row)
    session.flush()
