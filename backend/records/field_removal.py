"""A field that a dataset has no more is taken out of its records."""

from typing import Protocol

from sqlmodel import Session

from backend.core.services import Services
from backend.models import Record
from backend.records import repository
from backend.records.content import content_hash
from backend.records.service import RecordsService
from backend.words import Message

RECORDS_PER_TURN = 500
"""Records a transaction. Chosen: it lets others write in between."""


class Watch(Protocol):
    """Who runs it hears of its progress, and may stop it between two transactions."""

    def progress(self, fraction: float, message: str = "") -> None:
        """So much is done."""
        ...

    def check_cancelled(self) -> None:
        """A safe point."""
        ...


def strip_field(services: Services, dataset_id: int, field: str, watch: Watch) -> int:
    """No current record of the dataset has a value for the field; how many had.

    A record whose earlier version is what is left has that version as its current one. Earlier
    versions keep the field: they are what people saw. If the field came back meanwhile, it stays.
    """
    after, changed = 0, 0
    while True:
        watch.check_cancelled()
        with services.database.transaction() as session:
            service = RecordsService(session, services.clock)
            dataset = repository.lock_dataset(session, dataset_id)
            if dataset is None or field in dataset.fields:
                return changed
            rows = service.page(dataset_id, after=after, limit=RECORDS_PER_TURN)
            if not rows:
                return changed
            after = rows[-1].id
            held = [row for row in rows if field in row.fields]
            _strip(session, service, dataset_id, field, held)
            changed += len(held)
            total = service.count(dataset)
        told = Message.ngettext("{n:,} record", "{n:,} records", n=changed)
        watch.progress(min(1.0, after / max(total, after)), told)


def _strip(
    session: Session, service: RecordsService, dataset_id: int, field: str, rows: list[Record]
) -> None:
    ids = [row.external_id for row in rows]
    known = {
        (version.external_id, version.content_hash): version.id
        for version in repository.versions_of(session, dataset_id, ids)
    }
    revived, replaced = [], []
    for row in rows:
        left = {name: value for name, value in row.fields.items() if name != field}
        digest = content_hash(row.kind, left)
        earlier = known.get((row.external_id, digest))
        if earlier is None:
            repository.set_content(session, row.id, left, digest)
        else:
            revived.append(earlier)
            replaced.append(row.id)
    session.expire_all()
    service.make_current(dataset_id, revived, instead_of=replaced)
    repository.raise_generation(session, dataset_id)
