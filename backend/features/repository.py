"""Every query on the records whose features are computed."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from backend.models import (
    Record,
)

RECORDS_PER_QUERY = 5_000
"""Records in memory at a time while a dataset is read. Chosen: bounds memory."""


def record_page(
    session: Session, dataset_id: int, after: int
) -> Sequence[tuple[int, dict[str, Any]]]:
    """(id, fields) of the next ``RECORDS_PER_QUERY`` current records behind that id, by id."""
    rows = session.exec(
        select(Record.id, Record.fields)
        .where(
            Record.dataset_id == dataset_id,
            col(Record.is_current).is_(True),
            col(Record.id) > after,
        )
        .order_by(col(Record.id))
        .limit(RECORDS_PER_QUERY)
    )
    return [(record_id, dict(fields)) for record_id, fields in rows]


def records_by_id(session: Session, record_ids: Sequence[int]) -> dict[int, Record]:
    """The records with those ids, current or not."""
    found: dict[int, Record] = {}
    for start in range(0, len(record_ids), 500):
        part = record_ids[start : start + 500]
        for row in session.exec(select(Record).where(col(Record.id).in_(part))):
            found[row.id] = row
    return found
