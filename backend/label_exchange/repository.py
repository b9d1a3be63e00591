"""Every query that an export reads with, a page of tasks at a time."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.loop.revision_repository import current_revisions, standing_ids
from backend.models import (
    Annotation,
    Annotator,
    ConsensusLabel,
    Dataset,
    Decision,
    Guideline,
    ModelVersion,
    Prediction,
    Record,
    ReviewCase,
    Task,
)

CHUNK = 500
"""Ids or rows a statement: below the 999 parameters that SQLite allowed before 3.32 (2020)."""
LabelledTask = tuple[Task, Record, ConsensusLabel | None, Decision | None]


def take_snapshot(session: Session) -> None:
    """Every query of the session sees the store as it is now; call it before any other."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def dataset(session: Session, dataset_id: int) -> Dataset:
    """The dataset with that id."""
    return session.exec(select(Dataset).where(Dataset.id == dataset_id)).one()


def labelled_tasks(
    session: Session,
    project_id: int,
    *,
    what: str,
    kind: str | None,
    audit_only: bool,
    after: int,
    limit: int = CHUNK,
) -> Sequence[LabelledTask]:
    """First tasks above ``after`` whose record has such a label, by id."""
    query = (
        select(Task, Record, ConsensusLabel, Decision)
        .join(Record, col(Record.id) == col(Task.record_id))
        .outerjoin(ConsensusLabel, col(ConsensusLabel.task_id) == col(Task.id))
        .outerjoin(ReviewCase, col(ReviewCase.task_id) == col(Task.id))
        .outerjoin(Decision, col(Decision.id) == col(ReviewCase.decision_id))
        .where(Task.project_id == project_id, Task.purpose == "label", col(Task.id) > after)
        .order_by(col(Task.id))
        .limit(limit)
    )
    has_gold, has_consensus = (
        col(Decision.id).is_not(None),
        col(ConsensusLabel.task_id).is_not(None),
    )
    wanted = {"gold": has_gold, "consensus": has_consensus}.get(what, has_gold | has_consensus)
    query = query.where(wanted)
    if kind is not None:
        query = query.where(Record.kind == kind)
    if audit_only:
        query = query.where(col(Task.is_audit).is_(True))
    return session.exec(query).all()


def tasks_with_records(
    session: Session,
    project_id: int,
    *,
    kind: str | None,
    audit_only: bool,
    after: int,
    limit: int = CHUNK,
) -> Sequence[tuple[Task, Record]]:
    """Tasks above ``after``, copies included, with their records, by id."""
    query = (
        select(Task, Record)
        .join(Record, col(Record.id) == col(Task.record_id))
        .where(Task.project_id == project_id, col(Task.id) > after)
        .order_by(col(Task.id))
        .limit(limit)
    )
    if kind is not None:
        query = query.where(Record.kind == kind)
    if audit_only:
        query = query.where(col(Task.is_audit).is_(True))
    return session.exec(query).all()


def copies(session: Session, task_ids: Sequence[int]) -> Sequence[Task]:
    """Copies of these tasks, by id."""
    return session.exec(
        select(Task).where(col(Task.original_id).in_(task_ids)).order_by(col(Task.id))
    ).all()


def revisions(session: Session, project_id: int, task_ids: Sequence[int]) -> list[Annotation]:
    """The revisions that count of these tasks, by task and annotation."""
    found = current_revisions(session, project_id, task_ids=task_ids)
    return sorted(found, key=lambda row: (row.task_id, row.label_studio_annotation_id))


def shown_versions(session: Session, task_ids: Sequence[int]) -> dict[int, int]:
    """Task id to the number of the model version whose suggestion was stored for it first."""
    found: dict[int, int] = {}
    for start in range(0, len(task_ids), CHUNK):
        rows = session.exec(
            select(Prediction.task_id, ModelVersion.number)
            .join(ModelVersion, col(ModelVersion.id) == col(Prediction.model_version_id))
            .where(col(Prediction.task_id).in_(task_ids[start : start + CHUNK]))
            .order_by(col(Prediction.id).desc())
        )
        found.update(rows.all())
    return found


def current_hashes(
    session: Session, dataset_id: int, external_ids: Sequence[str]
) -> dict[str, str]:
    """External id to the content hash of the record's current version."""
    rows = session.exec(
        select(Record.external_id, Record.content_hash).where(
            Record.dataset_id == dataset_id,
            col(Record.is_current).is_(True),
            col(Record.external_id).in_(external_ids),
        )
    )
    return dict(rows.all())


def annotators(session: Session, project_id: int) -> dict[int, Annotator]:
    """Everyone who answered in the project, by our id."""
    answered = select(Annotation.annotator_id).where(Annotation.project_id == project_id)
    rows = session.exec(select(Annotator).where(col(Annotator.id).in_(answered)))
    return {row.id: row for row in rows}


def decision_authors(session: Session, project_id: int) -> list[str]:
    """Who decided in the project, in the order of their first decisions."""
    rows = session.exec(
        select(Decision.author)
        .join(ReviewCase, col(ReviewCase.id) == col(Decision.case_id))
        .where(ReviewCase.project_id == project_id)
        .group_by(Decision.author)
        .order_by(func.min(Decision.id))
    )
    return list(rows)


def guidelines(session: Session, project_id: int) -> list[tuple[int, datetime]]:
    """(version, published at) of the guidelines that were published, oldest first."""
    rows = session.exec(
        select(Guideline.version, Guideline.published_at)
        .where(Guideline.project_id == project_id, col(Guideline.published_at).is_not(None))
        .order_by(col(Guideline.published_at), col(Guideline.version))
    )
    return [(version, moment) for version, moment in rows if moment is not None]


def label_counts(session: Session, project_id: int) -> dict[str, int]:
    """How many gold labels, consensus labels and present annotations there are."""
    gold = session.exec(
        select(func.count())
        .select_from(ReviewCase)
        .where(ReviewCase.project_id == project_id, col(ReviewCase.decision_id).is_not(None))
    ).one()
    consensus = session.exec(
        select(func.count())
        .select_from(ConsensusLabel)
        .where(ConsensusLabel.project_id == project_id)
    ).one()
    standing = standing_ids(col(Annotation.project_id) == project_id).subquery()
    annotations = session.exec(select(func.count()).select_from(standing)).one()
    return {"gold": gold, "consensus": consensus, "annotations": annotations}


def kinds(session: Session, dataset_id: int) -> Sequence[str]:
    """Kinds of the dataset's records."""
    return session.exec(
        select(Record.kind).where(Record.dataset_id == dataset_id).distinct().order_by(Record.kind)
    ).all()
