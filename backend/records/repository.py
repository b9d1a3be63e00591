"""Every query on datasets and records."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.audit.repository import unused_id
from backend.models import Annotation, Dataset, Project, Record, Task
from backend.records.content import Content, ValueType
from backend.records.schemas import RecordCreate

IDS_PER_QUERY = 5_000
"""Chosen: below the 32,766 parameters that SQLite allows a statement since 3.32."""


class Version(NamedTuple):
    """What tells one stored version of a record from another."""

    id: int
    external_id: str
    content_hash: str
    is_current: bool


def add_dataset(session: Session, dataset: Dataset) -> bool:
    """True: it is stored and has its id. False: another has its name, nothing is changed.

    Looking for the name first is not enough: another transaction may take it meanwhile.
    """
    if (unused := unused_id(session, Dataset)) is not None:
        dataset.id = unused
    try:
        with session.begin_nested():
            session.add(dataset)
    except IntegrityError:
        return False
    return True


def get_dataset(session: Session, dataset_id: int) -> Dataset | None:
    """The dataset with that id."""
    return session.get(Dataset, dataset_id)


def find_dataset(session: Session, name: str) -> Dataset | None:
    """The dataset of that name."""
    return session.exec(select(Dataset).where(Dataset.name == name)).one_or_none()


def list_datasets(session: Session) -> Sequence[tuple[Dataset, int]]:
    """Every dataset with its number of current records, oldest first."""
    count = (
        select(func.count())
        .where(Record.dataset_id == Dataset.id, col(Record.is_current))
        .correlate(Dataset)
        .scalar_subquery()
    )
    rows = session.execute(select(Dataset, count).order_by(col(Dataset.id))).all()
    return [(dataset, number) for dataset, number in rows]


def count_current(session: Session, dataset_id: int) -> int:
    """How many records the dataset has, each in its current version."""
    return session.exec(
        select(func.count()).where(Record.dataset_id == dataset_id, col(Record.is_current))
    ).one()


def count_by_kind(session: Session, dataset_id: int) -> dict[str, int]:
    """The dataset's current records by kind, the most frequent kind first."""
    count = func.count()
    rows = session.execute(
        select(col(Record.kind), count)
        .where(Record.dataset_id == dataset_id, col(Record.is_current))
        .group_by(col(Record.kind))
        .order_by(count.desc(), col(Record.kind))
    ).all()
    return dict(rows)


def lock_dataset(session: Session, dataset_id: int) -> Dataset | None:
    """The dataset; until the transaction ends nobody else changes it or its records."""
    return session.exec(
        select(Dataset)
        .where(Dataset.id == dataset_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def save_fields(
    session: Session, dataset_id: int, fields: list[str], types: dict[str, ValueType]
) -> None:
    """The dataset's fields are ``fields``, and of some of them the type is known."""
    values = {"fields": fields, "types": types}
    session.execute(update(Dataset).where(col(Dataset.id) == dataset_id).values(values))


def set_content(
    session: Session, record_id: int, fields: Mapping[str, Any], content_hash: str
) -> None:
    """That version of a record has this content."""
    session.execute(
        update(Record)
        .where(col(Record.id) == record_id)
        .values(fields=dict(fields), content_hash=content_hash)
        .execution_options(synchronize_session=False)
    )


def versions_of(
    session: Session, dataset_id: int, external_ids: Sequence[str]
) -> Iterator[Version]:
    """Every stored version of the records with those external ids."""
    for start in range(0, len(external_ids), IDS_PER_QUERY):
        query = select(
            col(Record.id),
            col(Record.external_id),
            col(Record.content_hash),
            col(Record.is_current),
        ).where(
            Record.dataset_id == dataset_id,
            col(Record.external_id).in_(external_ids[start : start + IDS_PER_QUERY]),
        )
        for row in session.execute(query):
            yield Version(*row)


def contents_of(session: Session, record_ids: Sequence[int]) -> Iterator[tuple[int, Content]]:
    """What the versions with those row ids say."""
    for start in range(0, len(record_ids), IDS_PER_QUERY):
        query = select(col(Record.id), col(Record.kind), col(Record.fields)).where(
            col(Record.id).in_(record_ids[start : start + IDS_PER_QUERY])
        )
        for record_id, kind, fields in session.execute(query):
            yield record_id, Content(kind, fields)


def ids_there(session: Session, dataset_id: int, external_ids: Sequence[str]) -> set[str]:
    """Those of the external ids that the dataset has records of."""
    there: set[str] = set()
    for start in range(0, len(external_ids), IDS_PER_QUERY):
        query = select(col(Record.external_id)).where(
            Record.dataset_id == dataset_id,
            col(Record.external_id).in_(external_ids[start : start + IDS_PER_QUERY]),
        )
        there.update(session.exec(query))
    return there


def generation(session: Session, dataset_id: int) -> int:
    """Grows with every change of what versions of the dataset's records are current."""
    return session.exec(select(Dataset.generation).where(Dataset.id == dataset_id)).one()


def newest_record(session: Session, dataset_id: int) -> int:
    """The largest record id of the dataset, 0 if it is empty."""
    largest = session.exec(
        select(func.coalesce(func.max(Record.id), 0)).where(Record.dataset_id == dataset_id)
    ).one()
    return largest or 0


def records_state(session: Session, dataset_id: int) -> tuple[int, int, int]:
    """Changes whenever the dataset's current records do: what is derived from them is of it.

    The generation says all in one store; the number of records and the largest id tell a store put
    back from a backup from the one that something was derived from.
    """
    return (
        generation(session, dataset_id),
        count_current(session, dataset_id),
        newest_record(session, dataset_id),
    )


def current_ids(session: Session, dataset_id: int) -> list[int]:
    """Ids of the current records, ascending."""
    return list(
        session.exec(
            select(Record.id)
            .where(Record.dataset_id == dataset_id, col(Record.is_current))
            .order_by(col(Record.id))
        )
    )


def raise_generation(session: Session, dataset_id: int) -> None:
    """What is current in the dataset is not what it was; call it where that changes."""
    session.execute(
        update(Dataset)
        .where(col(Dataset.id) == dataset_id)
        .values(generation=col(Dataset.generation) + 1)
    )


def set_current(session: Session, record_ids: Collection[int], is_current: bool) -> None:
    """Those versions are (or are no longer) the current ones of their records."""
    ids = sorted(record_ids)
    for start in range(0, len(ids), IDS_PER_QUERY):
        session.execute(
            update(Record)
            .where(col(Record.id).in_(ids[start : start + IDS_PER_QUERY]))
            .values(is_current=is_current)
            .execution_options(synchronize_session=False)
        )


def projects_with_answers(
    session: Session, dataset_id: int, record_ids: Sequence[int]
) -> list[int]:
    """Ids of the dataset's projects in which somebody answered about one of these versions."""
    projects = session.exec(select(Project.id).where(Project.dataset_id == dataset_id)).all()
    return [each for each in projects if _has_answers(session, each, record_ids)]


def _has_answers(session: Session, project_id: int, record_ids: Sequence[int]) -> bool:
    for start in range(0, len(record_ids), IDS_PER_QUERY):
        answered = (
            select(Task.id)
            .join(Annotation, col(Annotation.task_id) == col(Task.id))
            .where(
                Task.project_id == project_id,
                col(Task.record_id).in_(record_ids[start : start + IDS_PER_QUERY]),
            )
        )
        if session.exec(answered.limit(1)).first() is not None:
            return True
    return False


def insert_records(
    session: Session,
    dataset_id: int,
    records: Sequence[RecordCreate],
    *,
    import_id: int | None,
    now: datetime,
) -> None:
    """Each is a new row and the current version of its record."""
    if not records:
        return
    rows = [
        {
            "dataset_id": dataset_id,
            "external_id": record.external_id,
            "content_hash": record.content_hash,
            "kind": record.kind,
            "fields": record.fields,
            "source": record.source,
            "observed_at": record.observed_at,
            "is_current": True,
            "import_id": import_id,
            "created_at": now,
        }
        for record in records
    ]
    # On the connection: the ORM's bulk insert does more for each row than it saves us.
    session.connection().execute(insert(Record.metadata.tables["record"]), rows)


def page(
    session: Session, dataset_id: int, *, after: int, limit: int, with_history: bool
) -> Sequence[Record]:
    """At most ``limit`` records whose id is above ``after``, in id order."""
    query = select(Record).where(Record.dataset_id == dataset_id, col(Record.id) > after)
    if not with_history:
        query = query.where(col(Record.is_current))
    return session.exec(query.order_by(col(Record.id)).limit(limit)).all()


def by_ids(session: Session, record_ids: Sequence[int]) -> Iterator[Record]:
    """The records with those row ids, current or not."""
    for start in range(0, len(record_ids), IDS_PER_QUERY):
        part = record_ids[start : start + IDS_PER_QUERY]
        yield from session.exec(select(Record).where(col(Record.id).in_(part)))


def history(session: Session, dataset_id: int, external_id: str) -> Sequence[Record]:
    """Every version of one record, oldest first."""
    return session.exec(
        select(Record)
        .where(Record.dataset_id == dataset_id, Record.external_id == external_id)
        .order_by(col(Record.id))
    ).all()
