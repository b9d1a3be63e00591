"""What became of imports."""

from collections.abc import Iterator

from sqlmodel import Session

from backend.core.exceptions import NotFound
from backend.core.services import Services
from backend.core.tabular import csv_pieces
from backend.ingestion import repository
from backend.ingestion.schemas import ImportReport, Reject
from backend.words import Message

REJECT_PAGE = 2_000
"""Chosen: bounds memory while rejects are written out."""


class ImportsService:
    """Reports of imports within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def report(self, import_id: int) -> ImportReport:
        """What became of the rows.

        Raises:
            NotFound: there is no such import.
        """
        row = repository.get(self._session, import_id)
        if row is None:
            raise NotFound(
                Message("There is no import {import_id}.", import_id=import_id),
                field="import_id",
                value=import_id,
                remedy=Message("List them with GET /api/v1/imports."),
            )
        return ImportReport.model_validate(row)

    def list_recent(self, *, dataset_id: int | None = None, limit: int = 50) -> list[ImportReport]:
        """The latest imports, newest first."""
        rows = repository.list_recent(self._session, dataset_id, limit)
        return [ImportReport.model_validate(row) for row in rows]

    def rejects(self, import_id: int) -> Iterator[Reject]:
        """Every rejected row, a page in memory at a time."""
        after = 0
        while rows := repository.rejects(self._session, import_id, after=after, limit=REJECT_PAGE):
            for row in rows:
                yield Reject.model_validate(row)
            after = rows[-1].id
            self._session.expunge_all()


def rejects_csv(services: Services, import_id: int) -> Iterator[bytes]:
    """The rejected rows as CSV, header first, read in a session of its own."""
    with services.database.reading() as session:
        rejects = ImportsService(session).rejects(import_id)
        rows = (list(each.model_dump().values()) for each in rejects)
        yield from csv_pieces(list(Reject.model_fields), rows)
