"""The import: a source becomes records, every refused row is listed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.exceptions import JobCancelled, StorageFull, UnreadableSource, words_of
from backend.ingestion import repository
from backend.ingestion.first_lines import FirstLines
from backend.ingestion.known_ids import ids_as_before, with_ids
from backend.ingestion.mapping import RowMapper, RowRejected, source_name
from backend.ingestion.readers import Reader, open_request
from backend.ingestion.reports import ImportsService
from backend.ingestion.schemas import ImportReport, ImportRequest, Reject, Understood
from backend.models import Import
from backend.record_index.service import request_index
from backend.records.schemas import RecordCreate, UpsertCounts
from backend.records.service import RecordsService
from backend.words import Message, Progress

ROWS_PER_CHUNK = 5_000
"""Rows a transaction. Chosen: bounds memory and how long SQLite is held."""
DEFAULT_KIND = "record"


def import_source(
    database: Database,
    request: ImportRequest,
    clock: Clock,
    *,
    progress: Progress = lambda _fraction, _message: None,
    should_stop: Callable[[], bool] = lambda: False,
    actor: str = "import",
) -> ImportReport:
    """Each row's content is the current one of its record; refused rows are listed.

    Committed in chunks: an import that was killed is repeated as it is, and finds what it
    had stored unchanged. With ``strict`` the source is read twice, first to find refused
    rows; if there are any, no record is stored and the report's status is ``failed``.

    Raises:
        UnreadableSource: the source is not what it claims to be.
        InvalidInput: a column that the request names is not there.
        JobCancelled: ``should_stop`` became true; what was committed stays.
        StorageFull: no space is left for the store.
    """
    run = _RecordImport(database, clock, request)
    run.progress, run.should_stop = progress, should_stop
    with open_request(request, run.refuse) as reader:
        with database.reading() as session:
            kind_there = RecordsService(session, clock).kind_of(request.dataset)
        kind = request.kind or kind_there or DEFAULT_KIND
        run.start(reader, RowMapper(request, reader.columns, kind), kind, actor)
        try:
            return run.to_the_end()
        except BaseException as error:
            run.record_failure(error)
            if _is_full(error):
                raise StorageFull(
                    Message("There is no space left for the store."),
                    remedy=Message("Free some space and import again; what was stored stays."),
                ) from error
            raise


class _Pass(NamedTuple):
    """One reading of the source: what is done with a chunk, its part of the progress."""

    keep: Callable[[], None]
    begin: float
    share: float


class _RecordImport:
    """One import under way."""

    progress: Progress
    should_stop: Callable[[], bool]

    _reader: Reader
    _mapper: RowMapper

    def __init__(self, database: Database, clock: Clock, request: ImportRequest) -> None:
        self._database = database
        self._clock = clock
        self._request = request
        self._dataset_id = self._import_id = 0
        self._records: list[RecordCreate] = []
        self._rejects: list[Reject] = []
        self._has_fields = False
        self._read = self._refused = 0
        self._pass: _Pass | None = None

    def refuse(self, reject: Reject) -> None:
        """The row is listed; also for the reader, which may skip any number of lines at once.

        Ignored while the source is opened: its lines are read again with the rows.
        """
        if self._pass is not None:
            self._rejects.append(reject)
            self._end_chunk_if_full(self._pass)

    def start(self, reader: Reader, mapper: RowMapper, kind: str, actor: str) -> None:
        """The import is on record."""
        self._reader, self._mapper = reader, mapper
        form = reader.text_form
        self._understood = Understood(
            encoding=form.encoding if form else None,
            delimiter=form.delimiter if form else None,
            types=dict(reader.types),
            left_out=list(mapper.left_out),
            is_own_export=mapper.is_own_export,
        )
        source = self._request.source or source_name(self._request)
        with self._database.transaction() as session:
            dataset = RecordsService(session, self._clock).find_or_create_dataset(
                self._request.dataset, kind=kind, fields=(), actor=actor
            )
            now = self._clock()
            repository.end_interrupted(session, dataset.id, source, now=now)
            row = Import(
                dataset_id=dataset.id,
                source=source,
                format=self._reader.format,
                understood=self._understood.model_dump(),
                started_at=now,
            )
            repository.add(session, row)
            self._dataset_id, self._import_id = dataset.id, row.id

    def to_the_end(self) -> ImportReport:
        """Every row is stored or listed, and the import is done."""
        error = None
        if self._request.strict and self._check_all_rows():
            error = Message.ngettext(
                "{n:,} row is refused and the import is strict: nothing is kept.",
                "{n:,} rows are refused and the import is strict: nothing is kept.",
                n=self._refused,
            )
        else:
            begin = 0.5 if self._request.strict else 0.0
            self._read_all(_Pass(self._store, begin, 1.0 - begin))
        with self._database.transaction() as session:
            if not self._refused:
                self._add_fields(session)  # also those of a source without rows
            self._finish(session, "failed" if error else "done", error)
        self.progress(1.0, Message.ngettext("{n:,} row", "{n:,} rows", n=self._read))
        with self._database.reading() as session:
            return ImportsService(session).report(self._import_id)

    def record_failure(self, error: BaseException) -> None:
        """The import says why it ended, if the store can still be written to."""
        try:
            with self._database.transaction() as session:
                self._finish(session, "failed", words_of(error))
        except Exception as second:
            error.add_note(f"the import's row could not be updated: {second}")

    def _finish(self, session: Session, status: str, error: str | None) -> None:
        if self._reader.text_form:
            self._understood.restored_cells = self._reader.text_form.restored_cells
        repository.finish(
            session,
            self._import_id,
            status=status,
            error=error,
            understood=self._understood,
            now=self._clock(),
        )
        request_index(session, self._dataset_id, now=self._clock())

    def _add_fields(self, session: Session) -> None:
        """The dataset has the source's fields; once, and only for the sake of what is kept."""
        if self._has_fields:
            return
        types = self._reader.types
        known = {field: types[name] for name, field in self._mapper.named if name in types}
        RecordsService(session, self._clock).add_fields(
            self._dataset_id, self._mapper.fields, known
        )
        self._has_fields = True

    def _check_all_rows(self) -> bool:
        """True if rows are refused, all of which are listed."""
        self._read_all(_Pass(self._list_refused, 0.0, 0.5))
        if self._refused:
            with self._database.transaction() as session:
                self._save(session, UpsertCounts(), [], self._read)
        self._mapper.ids_from_floats.clear()
        return self._refused > 0

    def _list_refused(self) -> None:
        if self._rejects:
            self._refused += len(self._rejects)
            with self._database.transaction() as session:
                self._save(session, UpsertCounts(), self._rejects, 0)

    def _store(self) -> None:
        if self._rejects and self._request.strict:
            raise UnreadableSource(
                Message(
                    "{source_name} changed during its strict import: line {line} was "
                    "good and is refused now.",
                    source_name=source_name(self._request),
                    line=self._rejects[0].line,
                ),
                field="path",
                value=source_name(self._request),
                remedy=Message("Import it again when nobody writes to it."),
            )
        with self._database.transaction() as session:
            counts = UpsertCounts()
            if self._records:
                self._add_fields(session)
                records = RecordsService(session, self._clock)
                counts = records.upsert(
                    self._dataset_id, self._chunk_records(records), import_id=self._import_id
                )
            self._refused += len(self._rejects)
            read = len(self._records) + len(self._rejects)
            self._save(session, counts, self._rejects, read)

    def _chunk_records(self, records: RecordsService) -> Sequence[RecordCreate]:
        """The chunk's records; one that the dataset has as 1001.0, and not as 1001, is that."""
        floats = self._mapper.ids_from_floats
        if not floats:
            return self._records
        before = ids_as_before(records, self._dataset_id, floats)
        self._understood.ids_from_floats += len(floats)
        self._understood.ids_as_before += len(before)
        floats.clear()
        return with_ids(self._records, before)

    def _save(
        self, session: Session, counts: UpsertCounts, rejects: Sequence[Reject], read: int
    ) -> None:
        repository.add_rejects(session, self._import_id, rejects)
        repository.add_counts(session, self._import_id, counts, read=read, rejected=len(rejects))

    def _read_all(self, this_pass: _Pass) -> None:
        """Every row of the source has been kept or listed, a chunk in memory at a time."""
        self._pass, self._read = this_pass, 0
        with FirstLines() as first_lines:
            for line, row in self._reader.rows():
                try:
                    record = self._mapper.record(line, row)
                except RowRejected as refusal:
                    self.refuse(refusal.reject)
                    continue
                first = first_lines.note(record.external_id, line)
                if first is None:
                    self._records.append(record)
                    self._end_chunk_if_full(this_pass)
                else:
                    self.refuse(self._duplicate(record, line, first))
        self._end_chunk(this_pass)

    def _end_chunk_if_full(self, this_pass: _Pass) -> None:
        if len(self._records) + len(self._rejects) < ROWS_PER_CHUNK:
            return
        self._end_chunk(this_pass)
        done = this_pass.begin + this_pass.share * self._reader.fraction()
        self.progress(done, Message.ngettext("{n:,} row", "{n:,} rows", n=self._read))
        if self.should_stop():
            told = Message.ngettext(
                "The import was stopped after {n:,} row.",
                "The import was stopped after {n:,} rows.",
                n=self._read,
            )
            raise JobCancelled(told, remedy=Message("Import again; what was stored stays."))

    def _end_chunk(self, this_pass: _Pass) -> None:
        if self._records or self._rejects:
            this_pass.keep()
            self._read += len(self._records) + len(self._rejects)
            self._records.clear()
            self._rejects.clear()

    def _duplicate(self, record: RecordCreate, line: int, first: int) -> Reject:
        return Reject(
            line=line,
            field=self._request.id_column,
            value=record.external_id,
            reason=Message("the external id is on line {first} already", first=first),
        )


def _is_full(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, OperationalError) and ("disk is full" in text or "no space" in text)
