"""Where imported labels belong: which version of which record, which task."""

from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from sqlmodel import Session

from backend.core.clock import Clock
from backend.label_exchange import import_repository
from backend.label_exchange.task_file import ImportedTask
from backend.loop.answers import LABEL, RELABEL
from backend.loop.repository import IMPORTED_KEY
from backend.models import Project, Record, Task
from backend.projects.service import label_schema_of
from backend.records import repository as records
from backend.records.content import Content, ValueTypes, is_same_content
from backend.records.schemas import RecordCreate, UpsertCounts
from backend.records.service import RecordsService
from backend.words import Message
from labeling.label_studio.tasks import build_table

IMPORTED_REASON = Message("labelled in another Label Studio project")


class RecordPlaces:
    """Stores the records that labels were given for, within one transaction."""

    def __init__(self, session: Session, clock: Clock, project: Project) -> None:
        self._session = session
        self._clock = clock
        self._dataset_id = project.dataset_id
        self._schema = label_schema_of(project)
        self._types: ValueTypes = (
            RecordsService(session, clock).get_dataset(project.dataset_id).types
        )

    def place(
        self, tasks: Sequence[ImportedTask], made: Sequence[RecordCreate], *, import_id: int | None
    ) -> tuple[dict[int, int], UpsertCounts]:
        """Line to the id of the record version that the task shows; and what was stored.

        The external ids must differ from each other. A version that the dataset does not have is
        added as history where the record has another content by now: labels from elsewhere do not
        change what is current.
        """
        ids = [task.external_id for task in tasks]
        there = import_repository.versions(self._session, self._dataset_id, ids)
        placed: dict[int, int] = {}
        missing: list[tuple[ImportedTask, RecordCreate]] = []
        for task, record in zip(tasks, made, strict=True):
            known = self._same(task, record, there.get(task.external_id, []))
            if known is None:
                missing.append((task, record))
            else:
                placed[task.line] = known
        if missing:
            RecordsService(self._session, self._clock).upsert(
                self._dataset_id, [record for _, record in missing], import_id=import_id
            )
            placed |= self._store(missing)
            self._restore(missing, there, placed)
        changed = sum(task.external_id in there for task, _ in missing)
        return placed, UpsertCounts(
            new=len(missing) - changed, changed=changed, unchanged=len(tasks) - len(missing)
        )

    def _same(
        self, task: ImportedTask, record: RecordCreate, versions: Sequence[Record]
    ) -> int | None:
        for version in versions:
            if version.content_hash == record.content_hash:
                return version.id
        content = Content(record.kind, record.fields)
        for version in versions:
            if is_same_content(Content(version.kind, version.fields), content, self._types):
                return version.id
            if task.html is not None and build_table(version.fields, self._schema) == task.html:
                return version.id
        return None

    def _store(self, missing: Sequence[tuple[ImportedTask, RecordCreate]]) -> dict[int, int]:
        rows = records.versions_of(
            self._session, self._dataset_id, [task.external_id for task, _ in missing]
        )
        ids = {(row.external_id, row.content_hash): row.id for row in rows}
        return {task.line: ids[task.external_id, made.content_hash] for task, made in missing}

    def _restore(
        self,
        missing: Sequence[tuple[ImportedTask, RecordCreate]],
        before: dict[str, list[Record]],
        placed: dict[int, int],
    ) -> None:
        """What was current before is current again."""
        replaced = {
            placed[task.line]: before[task.external_id][0].id
            for task, _ in missing
            if task.external_id in before and before[task.external_id][0].is_current
        }
        RecordsService(self._session, self._clock).make_current(
            self._dataset_id,
            [each for each in replaced.values() if each],
            instead_of=list(replaced),
        )


class TaskPlaces:
    """Finds or makes the tasks that imported answers belong to, within one transaction."""

    def __init__(self, session: Session, clock: Clock, project_id: int) -> None:
        self._session = session
        self._clock = clock
        self._project_id = project_id

    def ours(self, tasks: Sequence[ImportedTask]) -> dict[int, Task]:
        """Line to our own task, for tasks that this project pushed to Label Studio."""
        keys = [task.key for task in tasks if task.key]
        known = import_repository.tasks_by_key(self._session, self._project_id, keys)
        return {
            task.line: known[task.key]
            for task in tasks
            if task.key in known
            and known[task.key].label_studio_task_id is not None
            and known[task.key].label_studio_task_id == task.label_studio_id
        }

    def imported_tasks(self, wanted: dict[int, int]) -> tuple[dict[int, Task], int]:
        """Record id to its imported task, and how many were made.

        Args:
            wanted: record id to the number of people who answered.

        An imported task is in no Label Studio of ours: it has no id there and is never pushed. It
        is the record's first task; where the record has one already, a copy of it, so that the
        answers count together. It wants no more answers than it has.
        """
        keys = {record_id: imported_key(self._project_id, record_id) for record_id in wanted}
        known = import_repository.tasks_by_key(self._session, self._project_id, list(keys.values()))
        missing = [record_id for record_id in wanted if keys[record_id] not in known]
        if missing:
            others: dict[int, list[Task]] = {}
            for task in import_repository.tasks_of_records(
                self._session, self._project_id, missing
            ):
                others.setdefault(task.record_id, []).append(task)
            batch = import_repository.imported_batch(self._session, self._project_id, self._clock())
            last = import_repository.last_position(self._session, batch.id)
            made = [
                _imported_task(
                    self._project_id,
                    record_id,
                    batch.id,
                    position=last + place,
                    others=others.get(record_id, []),
                    people=wanted[record_id],
                )
                for place, record_id in enumerate(missing, start=1)
            ]
            import_repository.add_tasks(self._session, made)
            known |= {task.key: task for task in made}
        return {record_id: known[key] for record_id, key in keys.items()}, len(missing)


def imported_key(project_id: int, record_id: int) -> str:
    """The key of a record's imported task: the same for every import."""
    return f"{IMPORTED_KEY}{uuid5(NAMESPACE_OID, f'{project_id}-{record_id}').hex}"


def _imported_task(
    project_id: int,
    record_id: int,
    batch_id: int,
    *,
    position: int,
    others: Sequence[Task],
    people: int,
) -> Task:
    first = next((task for task in others if task.purpose == LABEL), None)
    return Task(
        project_id=project_id,
        record_id=record_id,
        batch_id=batch_id,
        key=imported_key(project_id, record_id),
        position=position,
        is_audit=False,
        reason=IMPORTED_REASON,
        purpose=LABEL if first is None else RELABEL,
        attempt=max((task.attempt for task in others), default=0) + 1,
        original_id=first.id if first else None,
        annotators_wanted=max(people, 1),
    )
