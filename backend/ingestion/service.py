"""The import: a source becomes records, every refused row is listed."""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.exceptions import AppError, JobCancelled, NotFound, StorageFull
from backend.ingestion import repository
from backend.ingestion.first_lines import FirstLines
from backend.ingestion.mapping import RowMapper, RowRejected, source_name
from backend.ingestion.readers import Reader, open_request
from backend.ingestion.schemas import ImportReport, ImportRequest, Reject
from backend.models import Import
from backend.records.schemas import RecordCreate, UpsertCounts
from backend.records.service import RecordsService

ROWS_PER_CHUNK = 5_000
REJECT_PAGE = 2_000
DEFAULT_KIND = "record"

Progress = Callable[[float, str], None]


def import_source(
    database: Database,
    request: ImportRequest,
    clock: Clock,
    *,
    progress: Progress = lambda _fraction, _message: None,
    should_stop: Callable[[], bool] = lambda: False,
    confirm: Callable[[Session], None] = lambda _session: None,
    actor: str = "import",
) -> ImportReport:
    """Each row's content is the current one of its record; refused rows are listed.

    Committed in chunks: an import that was killed is repeated as it is, and finds what it
    had stored unchanged. With ``strict`` the source is read twice, first to find refused
    rows; if there are any, no record is stored and the report's status is ``failed``.

    Args:
        confirm: called in each transaction; raises if the caller must not write any more.

    Raises:
        UnreadableSource: the source is not what it claims to be.
        InvalidInput: a column that the request names is not there.
        JobCancelled: ``should_stop`` became true; what was committed stays.
        StorageFull: no space is left for the store.
    """
    malformed: list[Reject] = []
    with open_request(request, malformed.append) as reader:
        with database.reading() as session:
            kind_there = RecordsService(session, clock).kind_of(request.dataset)
        kind = request.kind or kind_there or DEFAULT_KIND
        mapper = RowMapper(request, reader.columns, kind)
        run = _Run(database, clock, request, reader, mapper, malformed)
        run.progress, run.should_stop, run.confirm = progress, should_stop, confirm
        run.start(kind, actor)
        try:
            return run.to_the_end()
        except BaseException as error:
            run.failed(error)
            if _is_full(error):
                raise StorageFull(
                    "There is no space left for the store.",
                    remedy="Free some space and import again; what was stored stays.",
                ) from error
            raise


class _Run:
    """One import under way."""

    progress: Progress
    should_stop: Callable[[], bool]
    confirm: Callable[[Session], None]

    def __init__(
        self,
        database: Database,
        clock: Clock,
        request: ImportRequest,
        reader: Reader,
        mapper: RowMapper,
        malformed: list[Reject],
    ) -> None:
        self._database = database
        self._clock = clock
        self._request = request
        self._reader = reader
        self._mapper = mapper
        self._malformed = malformed
        self._dataset_id = self._import_id = 0
        self._read = 0

    def start(self, kind: str, actor: str) -> None:
        """The dataset has the source's fields, and the import is on record."""
        source = self._request.source or source_name(self._request)
        with self._database.transaction() as session:
            self.confirm(session)
            dataset = RecordsService(session, self._clock).find_or_create_dataset(
                self._request.dataset, kind=kind, fields=self._mapper.fields, actor=actor
            )
            assert dataset.id is not None
            now = self._clock()
            repository.end_interrupted(session, dataset.id, source, now=now)
            row = Import(
                dataset_id=dataset.id, source=source, format=self._reader.format, started_at=now
            )
            repository.add(session, row)
            assert row.id is not None
            self._dataset_id, self._import_id = dataset.id, row.id

    def to_the_end(self) -> ImportReport:
        """Every row is stored or listed, and the import is done."""
        error = None
        if self._request.strict:
            refused = self._check_all_rows()
            if refused:
                error = f"{refused} rows are refused and the import is strict: nothing is kept."
        if error is None:
            for records, rejects in self._chunks():
                with self._database.transaction() as session:
                    self.confirm(session)
                    counts = RecordsService(session, self._clock).upsert(
                        self._dataset_id, records, import_id=self._import_id
                    )
                    self._save(session, counts, rejects, len(records) + len(rejects))
        with self._database.transaction() as session:
            self.confirm(session)
            repository.finish(
                session,
                self._import_id,
                status="failed" if error else "done",
                error=error,
                now=self._clock(),
            )
        self.progress(1.0, f"{self._read:,} rows")
        with self._database.reading() as session:
            return ImportsService(session).report(self._import_id)

    def failed(self, error: BaseException) -> None:
        """The import says why it ended, if the store can still be written to."""
        message = str(error) if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
        try:
            with self._database.transaction() as session:
                self.confirm(session)
                repository.finish(
                    session,
                    self._import_id,
                    status="failed",
                    error=message[:2_000],
                    now=self._clock(),
                )
        except Exception as second:
            error.add_note(f"the import's row could not be updated: {second}")

    def _check_all_rows(self) -> int:
        """How many rows would be refused; they are listed."""
        refused = 0
        for _records, rejects in self._chunks(share=0.5):
            refused += len(rejects)
            if rejects:
                with self._database.transaction() as session:
                    self.confirm(session)
                    self._save(session, UpsertCounts(), rejects, 0)
        if refused:
            with self._database.transaction() as session:
                self.confirm(session)
                self._save(session, UpsertCounts(), [], self._read)
            return refused
        self._read = 0
        return refused

    def _save(
        self, session: Session, counts: UpsertCounts, rejects: Sequence[Reject], read: int
    ) -> None:
        repository.add_rejects(session, self._import_id, rejects)
        repository.add_counts(session, self._import_id, counts, read=read, rejected=len(rejects))

    def _chunks(
        self, share: float | None = None
    ) -> Iterator[tuple[list[RecordCreate], list[Reject]]]:
        """The source's rows in chunks; ``share`` of the progress if this is a first pass."""
        records: list[RecordCreate] = []
        rejects = self._malformed
        rejects.clear()
        done, part = (0.0, share) if share else (0.5, 0.5) if self._request.strict else (0.0, 1.0)
        with FirstLines() as first_lines:
            for line, row in self._reader.rows():
                try:
                    record = self._mapper.record(line, row)
                except RowRejected as refusal:
                    rejects.append(refusal.reject)
                else:
                    first = first_lines.note(record.external_id, line)
                    if first is None:
                        records.append(record)
                    else:
                        rejects.append(self._duplicate(record, line, first))
                if len(records) + len(rejects) >= ROWS_PER_CHUNK:
                    yield records, rejects
                    self._read += len(records) + len(rejects)
                    records.clear()
                    rejects.clear()
                    self.progress(done + part * self._reader.fraction(), f"{self._read:,} rows")
                    if self.should_stop():
                        raise JobCancelled(
                            f"The import was stopped after {self._read} rows.",
                            remedy="Import again; what was stored stays.",
                        )
            if records or rejects:
                yield records, rejects
                self._read += len(records) + len(rejects)

    def _duplicate(self, record: RecordCreate, line: int, first: int) -> Reject:
        return Reject(
            line=line,
            field=self._request.id_column,
            value=record.external_id,
            reason=f"the external id is on line {first} already",
        )


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
                f"There is no import {import_id}.",
                field="import_id",
                value=import_id,
                remedy="List them with GET /api/v1/imports.",
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
            after = rows[-1].id or 0
            self._session.expunge_all()


def _is_full(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, OperationalError) and ("disk is full" in text or "no space" in text)
