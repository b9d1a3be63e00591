"""Datasets, and bringing records up to date by content."""

from collections.abc import Collection, Iterator, Sequence

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, NotFound
from backend.jobs.queue import enqueue_if_none_waiting
from backend.models import Dataset, Record
from backend.records import repository
from backend.records.content import ValueTypes
from backend.records.schemas import DatasetCreate, DatasetPublic, RecordCreate, UpsertCounts
from backend.records.upsert_plan import UpsertPlan
from backend.words import Message

EXPORT_PAGE = 2_000
"""Chosen: bounds memory while records are written out."""


class RecordsService:
    """Datasets and records within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def create_dataset(self, request: DatasetCreate, *, actor: str) -> Dataset:
        """A new, empty dataset.

        Raises:
            Conflict: the name is taken.
        """
        dataset = self._add_dataset(request, actor)
        if dataset is None:
            raise Conflict(
                Message("A dataset named {name!r} exists already.", name=request.name),
                field="name",
                value=request.name,
                remedy=Message("Choose another name, or import into the one that is there."),
            )
        return dataset

    def _add_dataset(self, request: DatasetCreate, actor: str) -> Dataset | None:
        dataset = Dataset(
            name=request.name,
            kind=request.kind,
            fields=list(dict.fromkeys(request.fields)),
            created_at=self._clock(),
        )
        if not repository.add_dataset(self._session, dataset):
            return None
        AuditTrail(self._session, self._clock).append(
            actor, "dataset.created", f"dataset:{dataset.id}", {"name": dataset.name}
        )
        return dataset

    def get_dataset(self, dataset_id: int) -> Dataset:
        """The dataset.

        Raises:
            NotFound: there is none with that id.
        """
        dataset = repository.get_dataset(self._session, dataset_id)
        if dataset is None:
            raise _no_dataset(dataset_id)
        return dataset

    def find_dataset(self, name_or_id: str) -> Dataset:
        """The dataset of that name, or with that id.

        Raises:
            NotFound: there is none.
        """
        dataset = repository.find_dataset(self._session, name_or_id)
        if dataset is None and name_or_id.isdecimal():
            dataset = repository.get_dataset(self._session, int(name_or_id))
        if dataset is None:
            raise _no_dataset(name_or_id)
        return dataset

    def kind_of(self, name: str) -> str | None:
        """The default kind of the dataset of that name; None if there is none."""
        dataset = repository.find_dataset(self._session, name)
        return dataset.kind if dataset else None

    def find_or_create_dataset(
        self, name: str, *, kind: str, fields: Sequence[str], actor: str
    ) -> Dataset:
        """The dataset of that name, which has at least ``fields``; created if need be."""
        dataset = repository.find_dataset(self._session, name)
        if dataset is None:
            request = DatasetCreate(name=name, kind=kind, fields=list(fields))
            dataset = self._add_dataset(request, actor) or self.find_dataset(name)
        self.add_fields(dataset.id, fields)
        return dataset

    def add_fields(
        self, dataset_id: int, fields: Sequence[str], types: ValueTypes | None = None
    ) -> None:
        """The dataset has at least ``fields``; those it did not have come last.

        A field of which no type is known yet has that of ``types``.

        Raises:
            NotFound: there is no such dataset.
        """
        dataset = self._lock(dataset_id)
        every = list(dict.fromkeys([*dataset.fields, *fields]))
        known = {**(types or {}), **dataset.types}
        if every != dataset.fields or known != dataset.types:
            repository.save_fields(self._session, dataset_id, every, known)
            self._session.refresh(dataset)

    def _lock(self, dataset_id: int) -> Dataset:
        dataset = repository.lock_dataset(self._session, dataset_id)
        if dataset is None:
            raise _no_dataset(dataset_id)
        return dataset

    def ids_there(self, dataset_id: int, external_ids: Sequence[str]) -> set[str]:
        """Those of the external ids that the dataset has records of."""
        return repository.ids_there(self._session, dataset_id, external_ids)

    def drop_field(self, dataset_id: int, field: str) -> None:
        """The dataset's fields are those that it had but that one; its records keep their values.

        Raises:
            NotFound: there is no such dataset.
        """
        dataset = self._lock(dataset_id)
        left = [name for name in dataset.fields if name != field]
        types = {name: each for name, each in dataset.types.items() if name != field}
        repository.save_fields(self._session, dataset_id, left, types)
        self._session.refresh(dataset)

    def list_datasets(self) -> list[DatasetPublic]:
        """Every dataset with its number of records, oldest first."""
        return [
            to_public(dataset, records)
            for dataset, records in repository.list_datasets(self._session)
        ]

    def count(self, dataset: Dataset) -> int:
        """How many records the dataset has, each in its current version."""
        return repository.count_current(self._session, dataset.id)

    def upsert(
        self, dataset_id: int, records: Sequence[RecordCreate], *, import_id: int | None = None
    ) -> UpsertCounts:
        """Each record's content is the current one of its external id; no row is deleted.

        Content that means the same as what is current changes nothing; content seen before
        becomes current again; other content is a new row. The external ids of ``records`` must
        differ from each other.

        Raises:
            NotFound: there is no such dataset.
        """
        types = self._lock(dataset_id).types
        plan = self._plan(dataset_id, records, types)
        self.make_current(dataset_id, plan.revived, instead_of=plan.replaced)
        if plan.added:
            repository.raise_generation(self._session, dataset_id)
        repository.insert_records(
            self._session, dataset_id, plan.added, import_id=import_id, now=self._clock()
        )
        changed = len(plan.replaced)
        new = len(records) - changed - plan.unchanged
        return UpsertCounts(new=new, changed=changed, unchanged=plan.unchanged)

    def _plan(
        self, dataset_id: int, records: Sequence[RecordCreate], types: ValueTypes
    ) -> UpsertPlan:
        ids = [record.external_id for record in records]
        versions: dict[str, list[repository.Version]] = {}
        for version in repository.versions_of(self._session, dataset_id, ids):
            versions.setdefault(version.external_id, []).append(version)
        plan = UpsertPlan()
        doubtful: list[RecordCreate] = []
        for record in records:
            there = versions.get(record.external_id)
            if there is None:
                plan.added.append(record)
            elif not plan.is_current_hash(record, there):
                doubtful.append(record)
        if doubtful:
            asked = [each.id for record in doubtful for each in versions[record.external_id]]
            contents = dict(repository.contents_of(self._session, asked))
            for record in doubtful:
                plan.add(record, versions[record.external_id], contents, types)
        return plan

    def current_ids(self, dataset_id: int, external_ids: Sequence[str]) -> dict[str, int]:
        """External id to the id of its current version, for those that have one."""
        versions = repository.versions_of(self._session, dataset_id, external_ids)
        return {each.external_id: each.id for each in versions if each.is_current}

    def make_current(
        self, dataset_id: int, record_ids: Collection[int], *, instead_of: Collection[int]
    ) -> None:
        """Those versions are the current ones of their records, and the others are not any more.

        Where people answered about one of them, the review desk will look at it.
        """
        if not record_ids and not instead_of:
            return
        # In this order: at no moment are two versions of a record current.
        repository.set_current(self._session, instead_of, False)
        repository.set_current(self._session, record_ids, True)
        repository.raise_generation(self._session, dataset_id)
        self._request_reviews(dataset_id, [*instead_of, *record_ids])

    def _request_reviews(self, dataset_id: int, record_ids: Sequence[int]) -> None:
        """People who answered about these versions hear of the change at once."""
        for project_id in repository.projects_with_answers(self._session, dataset_id, record_ids):
            enqueue_if_none_waiting(
                self._session, "review.refresh", project_id=project_id, now=self._clock()
            )

    def page(
        self, dataset_id: int, *, after: int = 0, limit: int = 100, with_history: bool = False
    ) -> Sequence[Record]:
        """At most ``limit`` records whose id is above ``after``, in id order."""
        return repository.page(
            self._session, dataset_id, after=after, limit=limit, with_history=with_history
        )

    def history(self, dataset_id: int, external_id: str) -> Sequence[Record]:
        """Every version of one record, oldest first.

        Raises:
            NotFound: the dataset holds no record with that external id.
        """
        versions = repository.history(self._session, dataset_id, external_id)
        if not versions:
            raise NotFound(
                Message(
                    "Dataset {dataset_id} holds no record {external_id!r}.",
                    dataset_id=dataset_id,
                    external_id=external_id,
                ),
                field="external_id",
                value=external_id,
            )
        return versions

    def by_ids(self, record_ids: Sequence[int]) -> dict[int, Record]:
        """The records with those row ids, current or not; an unknown id is left out."""
        return {record.id: record for record in repository.by_ids(self._session, record_ids)}

    def count_by_kind(self, dataset_id: int) -> dict[str, int]:
        """How many current records of each kind the dataset has, the most frequent first."""
        return repository.count_by_kind(self._session, dataset_id)

    def stream(self, dataset_id: int, *, with_history: bool = False) -> Iterator[Record]:
        """Every record in id order, a page in memory at a time."""
        after = 0
        while rows := self.page(
            dataset_id, after=after, limit=EXPORT_PAGE, with_history=with_history
        ):
            yield from rows
            after = rows[-1].id
            self._session.expunge_all()


def to_public(dataset: Dataset, records: int) -> DatasetPublic:
    """The dataset as the API shows it."""
    return DatasetPublic(**dataset.model_dump(), records=records)


def _no_dataset(name_or_id: str | int) -> NotFound:
    return NotFound(
        Message("There is no dataset {name_or_id!r}.", name_or_id=name_or_id),
        field="dataset",
        value=name_or_id,
        remedy=Message("The list of datasets has those there are."),
    )
