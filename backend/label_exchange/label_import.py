"""Labels of another Label Studio project, from its JSON export into a dataset and a project."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.exceptions import InvalidInput, JobCancelled, words_of
from backend.core.services import Services
from backend.ingestion import repository as imports
from backend.ingestion.mapping import RowRejected
from backend.ingestion.schemas import Reject
from backend.label_exchange import import_repository
from backend.label_exchange.answer_reading import LARGEST_ID
from backend.label_exchange.destination import LabelImport, find_or_create
from backend.label_exchange.label_chunk import LabelChunk
from backend.label_exchange.schemas import MAX_LISTED_REJECTS, LabelImportReport
from backend.label_exchange.task_file import ImportedTask, as_task, read_tasks
from backend.loop.service import LoopService
from backend.models import Import, Project
from backend.projects import repository as project_rows
from backend.records.schemas import UpsertCounts
from backend.records.service import RecordsService
from backend.words import Message, Progress

TASKS_PER_CHUNK = 200
"""Tasks a transaction. Chosen: as ``core.turns.ROWS_PER_TURN``, it lets others write in between."""
FORMAT = "label_studio"
DEFAULT_KIND = "record"
OWN_LABEL = Message(
    "a label that this project worked out itself is nobody's answer: "
    "take in an export of single answers (--what annotations), or import "
    "into another project"
)


def import_labels(
    services: Services,
    request: LabelImport,
    *,
    actor: str,
    progress: Progress = lambda _fraction, _message: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> LabelImportReport:
    """The file's records, tasks and annotations are in the store, each once; refused ones listed.

    Importing the file again changes nothing; a newer export of the same project adds revisions.
    What the file does not hold (any more) is left as it is. Committed in chunks, so a killed
    import is simply repeated. With ``is_dry_run`` nothing is kept.

    Raises:
        UnreadableSource: the file is no JSON export of Label Studio.
        InvalidInput: dataset and project do not fit together, or the label schema is unusable.
        JobCancelled: ``should_stop`` became true; what was committed stays.
    """
    size, fields, kind = _survey(request)
    run = _LabelImport(services, request, size=size, actor=actor)
    run.progress, run.should_stop = progress, should_stop
    if not request.is_dry_run:
        return run.to_the_end(fields, kind)
    with services.database.rehearsal() as session:
        run.only_session = session
        return run.to_the_end(fields, kind)


def _survey(request: LabelImport) -> tuple[int, list[str], str]:
    """(tasks, fields, kind) of the file, which is one that can be read to its end.

    Raises:
        InvalidInput: the mapping takes a field from a key that no task has.
    """
    fields: dict[str, None] = {}
    keys: set[str] = set()
    size, kind = 0, None
    for line, raw in read_tasks(request.path):
        size = line
        try:
            task = as_task(line, raw, request.mapping)
        except RowRejected:
            continue
        # In the order of the table where there is one: marks on it name a field by its row.
        shown = [name for name in task.table_fields or () if name in task.fields]
        fields.update(dict.fromkeys([*shown, *task.fields]))
        kind = kind or task.kind
        keys.update(raw["data"])
    named = request.mapping.record.fields or {}
    absent = [key for key in named if key not in keys]
    if absent and keys:
        raise InvalidInput(
            Message(
                "The mapping takes the field {field!r} from the key {key!r}, which no task of the "
                "file has.",
                field=named[absent[0]],
                key=absent[0],
            ),
            field="mapping.record.fields",
            value=absent[0],
            remedy=Message("Their keys are: {keys}.", keys=sorted(keys)),
        )
    return size, list(fields), kind or DEFAULT_KIND


class _LabelImport:
    """One import under way."""

    progress: Progress
    should_stop: Callable[[], bool]
    only_session: Session | None = None
    _project: Project

    def __init__(self, services: Services, request: LabelImport, *, size: int, actor: str) -> None:
        self._services = services
        self._request = request
        self._size = size
        self._actor = actor
        self._source = (request.source or request.path.name)[:1000]

    def to_the_end(self, fields: Sequence[str], kind: str) -> LabelImportReport:
        report = self._start(fields, kind)
        try:
            for chunk in self._chunks():
                with self._transaction() as session:
                    self._take_in(session, chunk, report)
                self.progress(
                    chunk[-1][0] / max(self._size, 1),
                    Message.ngettext("{n:,} task", "{n:,} tasks", n=report.tasks_read),
                )
                if self.should_stop():
                    raise JobCancelled(
                        Message.ngettext(
                            "The import was stopped after {n:,} task.",
                            "The import was stopped after {n:,} tasks.",
                            n=report.tasks_read,
                        ),
                        remedy=Message("Import again; what was stored stays."),
                    )
        except Exception as error:
            self._record_failure(report, error)
            raise
        with self._transaction() as session:
            self._end(session, report)
        return report

    def _start(self, fields: Sequence[str], kind: str) -> LabelImportReport:
        with self._transaction() as session:
            self._project = find_or_create(
                session, self._services, self._request, fields, kind, self._actor
            )
            dataset = project_rows.get_dataset(session, self._project.dataset_id)
            assert dataset is not None
            RecordsService(session, self._services.clock).add_fields(dataset.id, fields)
            now = self._services.clock()
            imports.end_interrupted(session, dataset.id, self._source, now=now)
            row = imports.add(
                session,
                Import(dataset_id=dataset.id, source=self._source, format=FORMAT, started_at=now),
            )
            self._kind = dataset.kind
            is_kept = not self._request.is_dry_run
            self._import_id = row.id
            return LabelImportReport(
                import_id=row.id if is_kept else None,
                project_id=self._project.id if is_kept else None,
                project=self._project.name,
                dataset=dataset.name,
                is_dry_run=self._request.is_dry_run,
            )

    def _chunks(self) -> Iterator[list[tuple[int, Any]]]:
        chunk: list[tuple[int, Any]] = []
        for line, raw in read_tasks(self._request.path):
            chunk.append((line, raw))
            if len(chunk) == TASKS_PER_CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _take_in(
        self, session: Session, chunk: Sequence[tuple[int, Any]], report: LabelImportReport
    ) -> None:
        tasks: list[ImportedTask] = []
        rejects: list[Reject] = []
        for line, raw in chunk:
            try:
                tasks.append(as_task(line, raw, self._request.mapping))
            except RowRejected as refusal:
                rejects.append(refusal.reject)
        tasks = self._leave_out_own(session, tasks, rejects)
        made = LabelChunk(
            session,
            self._services.clock,
            self._project,
            self._request.mapping,
            kind=self._kind,
            source=self._source,
            import_id=self._import_id,
        )
        made.take_in(tasks)
        rejects = sorted([*rejects, *made.rejects], key=lambda each: each.line)
        report.tasks_read += len(chunk)
        report.rejected += len(rejects)
        report.rejects += rejects[: MAX_LISTED_REJECTS - len(report.rejects)]
        for name, count in made.counts.items():
            setattr(report, name, getattr(report, name) + count)
        assert self._import_id is not None
        imports.add_rejects(session, self._import_id, rejects)
        counts = UpsertCounts(
            new=made.counts["records_new"],
            changed=made.counts["records_changed"],
            unchanged=made.counts["records_unchanged"],
        )
        imports.add_counts(session, self._import_id, counts, read=len(chunk), rejected=len(rejects))
        session.flush()
        session.expunge_all()

    def _leave_out_own(
        self, session: Session, tasks: list[ImportedTask], rejects: list[Reject]
    ) -> list[ImportedTask]:
        """The tasks but those whose label this very project worked out: no answer of anybody."""
        ids = [each for task in tasks for each in task.label_of if each < LARGEST_ID]
        names = import_repository.names_of_tasks(session, self._project.id, ids)
        kept = []
        for task in tasks:
            if any(names.get(each) == task.external_id for each in task.label_of):
                rejects.append(Reject(line=task.line, field="meta", value=None, reason=OWN_LABEL))
            else:
                kept.append(task)
        return kept

    def _end(self, session: Session, report: LabelImportReport) -> None:
        now = self._services.clock()
        assert self._import_id is not None
        imports.finish(session, self._import_id, status="done", error=None, now=now)
        if report.annotations_new + report.annotations_updated:
            LoopService(session, self._services.clock).request_review(self._project)
        counts = report.model_dump(include={"source", "annotations_new", "annotations_updated"})
        AuditTrail(session, self._services.clock).append(
            self._actor,
            "labels.imported",
            f"project:{self._project.id}",
            {**counts, "source": self._source, "rejected": report.rejected},
        )

    def _record_failure(self, report: LabelImportReport, error: Exception) -> None:
        if self.only_session is not None or report.import_id is None:
            return
        try:
            with self._transaction() as session:
                imports.finish(
                    session,
                    report.import_id,
                    status="failed",
                    error=words_of(error),
                    now=self._services.clock(),
                )
        except Exception as second:
            error.add_note(f"the import's row could not be updated: {second}")

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        if self.only_session is not None:
            yield self.only_session
            return
        with self._services.database.transaction() as session:
            yield session
