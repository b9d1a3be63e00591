"""Every query on imports and their rejected rows."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlmodel import Session, col, select

from backend.ingestion.schemas import Reject, Understood
from backend.models import Import, ImportReject, Job
from backend.records.schemas import UpsertCounts
from backend.words import Message


def add(session: Session, row: Import) -> Import:
    """The import is stored and has its id."""
    session.add(row)
    session.flush()
    return row


def get(session: Session, import_id: int) -> Import | None:
    """The import with that id."""
    return session.get(Import, import_id)


def list_recent(session: Session, dataset_id: int | None, limit: int) -> Sequence[Import]:
    """The latest imports, newest first."""
    query = select(Import).order_by(col(Import.id).desc()).limit(limit)
    if dataset_id is not None:
        query = query.where(Import.dataset_id == dataset_id)
    return session.exec(query).all()


def end_interrupted(session: Session, dataset_id: int, source: str, *, now: datetime) -> None:
    """Imports of that source that still say they run were killed; say so."""
    session.execute(
        update(Import)
        .where(
            col(Import.dataset_id) == dataset_id,
            col(Import.source) == source,
            col(Import.status) == "running",
        )
        .values(
            status="failed", error=Message("Interrupted; imported again later."), finished_at=now
        )
    )


def add_counts(
    session: Session, import_id: int, counts: UpsertCounts, *, read: int, rejected: int
) -> None:
    """The import's counts have grown by these."""
    session.execute(
        update(Import)
        .where(col(Import.id) == import_id)
        .values(
            rows_read=col(Import.rows_read) + read,
            rows_new=col(Import.rows_new) + counts.new,
            rows_changed=col(Import.rows_changed) + counts.changed,
            rows_unchanged=col(Import.rows_unchanged) + counts.unchanged,
            rows_rejected=col(Import.rows_rejected) + rejected,
        )
    )


def finish(
    session: Session,
    import_id: int,
    *,
    status: str,
    error: str | None,
    now: datetime,
    understood: Understood | None = None,
) -> None:
    """The import has ended with ``status``, its source read as ``understood`` says."""
    values: dict[str, Any] = {"status": status, "error": error, "finished_at": now}
    if understood is not None:
        values["understood"] = understood.model_dump()
    session.execute(update(Import).where(col(Import.id) == import_id).values(values))


def add_rejects(session: Session, import_id: int, rejects: Sequence[Reject]) -> None:
    """Those rows are on the import's list."""
    if rejects:
        rows = [{"import_id": import_id, **reject.model_dump()} for reject in rejects]
        session.connection().execute(insert(ImportReject.metadata.tables["import_reject"]), rows)


def rejects(session: Session, import_id: int, *, after: int, limit: int) -> Sequence[ImportReject]:
    """At most ``limit`` rejected rows whose id is above ``after``, in id order."""
    return session.exec(
        select(ImportReject)
        .where(ImportReject.import_id == import_id, col(ImportReject.id) > after)
        .order_by(col(ImportReject.id))
        .limit(limit)
    ).all()


def uploads_wanted(session: Session, before: datetime) -> set[str]:
    """Every text in the arguments of jobs that are open or ended since: paths may be among them.

    Whatever job reads an upload, its path stands in the job's arguments.
    """
    rows = session.exec(
        select(Job.args).where(col(Job.finished_at).is_(None) | (col(Job.finished_at) >= before))
    )
    return {text for args in rows for text in _texts(args)}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
