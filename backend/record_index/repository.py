"""Every query on what is searched of records, and on the records that it is made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, delete, func, insert, text
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.models import Dataset, Import, Record, RecordIndexState, RecordText
from backend.models.record_index import TERMS
from backend.record_index.text_query import Phrase
from backend.record_index.versions import DIGITS, Versions, digest_of
from backend.record_index.words import mark_of

ROWS_AT_ONCE = 20_000
"""Chosen: bounds memory while a million rows are read in one view of the store."""
TERMS_LOOKED_UP = 32
"""Words of a query that the index is asked for; the text of what it finds is asked for the others.
Chosen: SQLite takes 256, and after a few there is little left to find."""


class RecordRow(NamedTuple):
    """One version of a record, with what it is found by."""

    id: int
    external_id: str
    kind: str
    fields: dict[str, Any]
    content_hash: str
    import_id: int | None
    created_at: datetime


def get_dataset(session: Session, dataset_id: int) -> Dataset | None:
    """The dataset with that id, as it is now."""
    return session.get(Dataset, dataset_id, populate_existing=True)


def keep_dataset(session: Session, dataset_id: int) -> bool:
    """True: until the transaction ends the dataset is not deleted. False: it is gone."""
    query = select(Dataset.id).where(Dataset.id == dataset_id)
    return session.exec(query.with_for_update(read=True, key_share=True)).first() is not None


def current_versions(session: Session, dataset_id: int) -> Versions:
    """The dataset's current records."""
    query = (
        columns(col(Record.id), func.substr(col(Record.content_hash), 1, DIGITS))
        .where(col(Record.dataset_id) == dataset_id, col(Record.is_current))
        .order_by(col(Record.id))
    )
    return _versions(session, query, is_hash=True)


def text_versions(session: Session, dataset_id: int) -> Versions:
    """The records of the dataset whose words are stored."""
    query = (
        columns(col(RecordText.record_id), col(RecordText.digest))
        .where(col(RecordText.dataset_id) == dataset_id)
        .order_by(col(RecordText.record_id))
    )
    return _versions(session, query, is_hash=False)


def _versions(session: Session, query: Select[*tuple[Any, ...]], *, is_hash: bool) -> Versions:
    ids: list[NDArray[np.int64]] = []
    digests: list[NDArray[np.int64]] = []
    # One statement: one view of the store, on PostgreSQL too.
    rows = session.connection().execute(query.execution_options(yield_per=ROWS_AT_ONCE))
    for part in rows.partitions():
        ids.append(np.fromiter((row[0] for row in part), np.int64, len(part)))
        known = (digest_of(row[1]) if is_hash else row[1] for row in part)
        digests.append(np.fromiter(known, np.int64, len(part)))
    return Versions.of_parts(ids, digests)


def rows_by_id(session: Session, record_ids: Sequence[int]) -> list[RecordRow]:
    """The records with those ids that there are, by id."""
    query = columns(
        col(Record.id),
        col(Record.external_id),
        col(Record.kind),
        col(Record.fields),
        col(Record.content_hash),
        col(Record.import_id),
        col(Record.created_at),
    ).where(col(Record.id).in_(record_ids))
    rows = session.connection().execute(query.order_by(col(Record.id)))
    return [RecordRow(*row) for row in rows]


def add_texts(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """The words of these records are those, whatever they were."""
    delete_texts(session, [row["record_id"] for row in rows])
    if rows:
        session.connection().execute(insert(RecordText.metadata.tables["record_text"]), rows)


def delete_texts(session: Session, record_ids: Sequence[int]) -> None:
    """No words of these records are stored."""
    session.connection().execute(
        delete(RecordText).where(col(RecordText.record_id).in_(record_ids))
    )


def some_texts(session: Session, dataset_id: int, limit: int) -> list[int]:
    """At most so many records of the dataset whose words are stored."""
    query = select(RecordText.record_id).where(RecordText.dataset_id == dataset_id).limit(limit)
    return list(session.exec(query))


def search(session: Session, dataset_id: int, phrases: Sequence[Phrase]) -> NDArray[np.int64]:
    """Ascending ids of the dataset's records that have all the phrases; all where there is none."""
    terms = [(mark_of(dataset_id), False)]
    needles: dict[str, str] = {}
    for phrase in phrases:
        room = TERMS_LOOKED_UP - len(terms)
        words = phrase.words[:room]
        is_whole = len(words) == len(phrase.words)
        terms += [
            (word, phrase.is_open and is_whole and at == len(words) - 1)
            for at, word in enumerate(words)
        ]
        if len(phrase.words) > 1 or not is_whole:
            needles[f"needle{len(needles)}"] = phrase.pattern
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    find = _search_sqlite if is_sqlite else _search_postgres
    return np.sort(find(session, terms, needles))


def _search_sqlite(
    session: Session, terms: Sequence[tuple[str, bool]], needles: dict[str, str]
) -> NDArray[np.int64]:
    asked = " AND ".join(f'"{word}"{"*" if is_open else ""}' for word, is_open in terms)
    texts = "JOIN record_text ON record_text.record_id = record_words.rowid" if needles else ""
    held = "".join(f" AND instr(record_text.words, :{name}) > 0" for name in needles)
    found = session.connection().execute(
        text(
            f"SELECT group_concat(record_words.rowid) FROM record_words {texts} "
            f"WHERE record_words MATCH :asked{held}"
        ),
        {"asked": asked, **needles},
    )
    # One text of all ids: a row each would take longer than the search.
    return np.fromstring(found.scalar() or "", dtype=np.int64, sep=",")


def _search_postgres(
    session: Session, terms: Sequence[tuple[str, bool]], needles: dict[str, str]
) -> NDArray[np.int64]:
    asked = " & ".join(f"'{word}'{':*' if is_open else ''}" for word, is_open in terms)
    held = "".join(f" AND strpos(words, :{name}) > 0" for name in needles)
    found = session.connection().execute(
        text(
            "SELECT string_agg(int8send(record_id), ''::bytea) FROM record_text "
            f"WHERE {TERMS} @@ CAST(:asked AS tsquery){held}".replace("::", "\\:\\:")
        ),
        {"asked": asked, **needles},
    )
    return np.frombuffer(found.scalar() or b"", dtype=">i8").astype(np.int64)


def get_state(session: Session, dataset_id: int) -> RecordIndexState | None:
    """Up to where the dataset is indexed, as it is now; None before it ever was."""
    return session.get(RecordIndexState, dataset_id, populate_existing=True)


def set_state(session: Session, dataset_id: int, now: datetime, **values: Any) -> None:
    """These values of the dataset's state are those."""
    state = get_state(session, dataset_id) or RecordIndexState(
        dataset_id=dataset_id, indexed_at=now
    )
    for name, value in {**values, "indexed_at": now}.items():
        setattr(state, name, value)
    session.add(state)
    session.flush()


def datasets_behind(session: Session) -> list[int]:
    """Ids of datasets whose records have changed since they were indexed, but for those into
    which an import is under way."""
    state = RecordIndexState
    importing = select(Import.dataset_id).where(Import.status == "running")
    query = (
        select(Dataset.id)
        .outerjoin(state, col(state.dataset_id) == col(Dataset.id))
        .where(
            func.coalesce(col(state.text_generation), -1).is_distinct_from(Dataset.generation)
            | func.coalesce(col(state.columns_generation), -1).is_distinct_from(Dataset.generation),
            col(Dataset.id).not_in(importing),
        )
    )
    return list(session.exec(query.order_by(col(Dataset.id))))
