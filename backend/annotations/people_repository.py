"""Every query on who annotators are."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select

from backend.models import Annotation, Annotator, Decision, Task

REFERENCES: tuple[tuple[type[SQLModel], str], ...] = (
    (Annotation, "annotator_id"),
    (Annotation, "updated_by_id"),
    (Task, "assignee_id"),
    (Decision, "assignee_id"),
)
"""Every column that names an annotator."""


def annotators_without_name(session: Session) -> Sequence[Annotator]:
    """Annotators of our Label Studio whose e-mail address has not been looked up yet."""
    return session.exec(
        select(Annotator).where(
            col(Annotator.email).is_(None), col(Annotator.label_studio_user_id) > 0
        )
    ).all()


def name_annotator(session: Session, annotator: Annotator, email: str, name: str | None) -> None:
    """The annotator's e-mail address and name are known."""
    annotator.email, annotator.name = email, name
    session.add(annotator)
    session.flush()


def twins(session: Session) -> list[tuple[Annotator, Annotator]]:
    """(imported, signed in): annotators of one e-mail address, whom Label Studio knows by now."""
    imported, signed_in = aliased(Annotator), aliased(Annotator)
    rows = session.exec(
        select(imported, signed_in)
        .join(signed_in, func.lower(imported.email) == func.lower(signed_in.email))
        .where(imported.label_studio_user_id < 0, signed_in.label_studio_user_id > 0)
        .order_by(col(imported.id), col(signed_in.id))
    )
    return [(gone, kept) for gone, kept in rows]


def projects_of(session: Session, annotator_id: int) -> list[int]:
    """Projects that hold answers or changes of the annotator."""
    rows = session.exec(
        select(Annotation.project_id)
        .where(
            (col(Annotation.annotator_id) == annotator_id)
            | (col(Annotation.updated_by_id) == annotator_id)
        )
        .distinct()
    )
    return sorted(rows)


def simulated_annotators(session: Session) -> list[int]:
    """Ids of the annotators who are no persons."""
    return list(session.exec(select(Annotator.id).where(col(Annotator.is_simulated))))


def mark_simulated(session: Session, label_studio_user_ids: Collection[int]) -> None:
    """Those of these Label Studio users who are annotators here are no persons."""
    session.execute(
        update(Annotator)
        .where(col(Annotator.label_studio_user_id).in_(label_studio_user_ids))
        .values(is_simulated=True)
    )


def has_answer_of(session: Session, project_id: int, annotator_ids: Collection[int]) -> bool:
    """True if one of these annotators has ever answered in the project."""
    found = session.exec(
        select(Annotation.id)
        .where(Annotation.project_id == project_id, col(Annotation.annotator_id).in_(annotator_ids))
        .limit(1)
    )
    return found.first() is not None


def merge(session: Session, gone: Annotator, kept: Annotator) -> None:
    """Everything that names ``gone`` names ``kept``, and ``gone`` is no more."""
    for model, name in REFERENCES:
        session.execute(
            update(model).where(getattr(model, name) == gone.id).values({name: kept.id})
        )
    kept.name = kept.name or gone.name
    kept.is_simulated = kept.is_simulated or gone.is_simulated
    session.add(kept)
    session.delete(gone)
    session.flush()
