"""Every query on the records whose features are computed."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlmodel import Session, col, select

from backend.models import (
    Record,
)

RECORDS_PER_QUERY = 5_000
"""Records in memory at a time while a dataset is read."""


def iterate_records(session: Session, dataset_id: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(id, content hash, fields) of every current record of the dataset, by id."""
    last = 0
    while True:
        rows = session.exec(
            select(Record.id, Record.content_hash, Record.fields)
            .where(
                Record.dataset_id == dataset_id,
                col(Record.is_current).is_(True),
                col(Record.id) > last,
            )
            .order_by(col(Record.id))
            .limit(RECORDS_PER_QUERY)
        ).all()
        for record_id, content_hash, fields in rows:
            assert record_id is not None
            yield record_id, content_hash, dict(fields)
            last = record_id
        if len(rows) < RECORDS_PER_QUERY:
            return


def records_by_id(session: Session, record_ids: Sequence[int]) -> dict[int, Record]:
    """The records with those ids, current or not."""
    found: dict[int, Record] = {}
    for start in range(0, len(record_ids), 500):
        part = record_ids[start : start + 500]
        for row in session.exec(select(Record).where(col(Record.id).in_(part))):
            assert row.id is not None
            found[row.id] = row
    return found
