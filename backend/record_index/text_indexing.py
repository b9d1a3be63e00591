"""The stored words of a dataset's records become those of its current ones."""

from collections.abc import Sequence

import numpy as np

from backend.core.parts import parts
from backend.core.services import Services
from backend.core.turns import turns
from backend.record_index import repository
from backend.record_index.repository import RecordRow
from backend.record_index.values import value_text
from backend.record_index.versions import digest_of
from backend.record_index.words import stored_words
from backend.records.field_removal import Watch
from backend.words import Message

RECORDS_PER_PAGE = 2_000
"""Records in memory at a time. Chosen."""


class DatasetGone(Exception):
    """The dataset was deleted meanwhile: there is nothing more to do."""


def index_texts(services: Services, dataset_id: int, watch: Watch) -> int:
    """What is stored are the words of the current records, no others; how many rows changed.

    In short transactions; what a killed run has done stays done.

    Raises:
        DatasetGone: the dataset was deleted meanwhile.
    """
    with services.database.reading() as session:
        current = repository.current_versions(session, dataset_id)
        there = repository.text_versions(session, dataset_id)
    gone = there.ids[~there.are_in(current)]
    wanted = current.ids[~current.are_in(there)]
    # Of records whose content has changed in place, the words are replaced.
    gone = np.setdiff1d(gone, wanted, assume_unique=True)
    _Texts(services, dataset_id, watch, len(gone) + len(wanted)).change(
        gone.tolist(), wanted.tolist()
    )
    return len(gone) + len(wanted)


def delete_texts(services: Services, dataset_id: int) -> None:
    """No words of the dataset's records are stored; in turns."""
    while True:
        with services.database.reading() as session:
            ids = repository.some_texts(session, dataset_id, RECORDS_PER_PAGE)
        if not ids:
            return
        for part in turns(services.database, ids):
            with services.database.transaction() as session:
                repository.delete_texts(session, part)


class _Texts:
    def __init__(self, services: Services, dataset_id: int, watch: Watch, count: int) -> None:
        self._database, self._dataset_id = services.database, dataset_id
        self._watch, self._count, self._done = watch, count, 0

    def change(self, gone: list[int], wanted: list[int]) -> None:
        for part in turns(self._database, gone):
            with self._database.transaction() as session:
                repository.delete_texts(session, part)
            self._tell(len(part))
        for page in parts(wanted, RECORDS_PER_PAGE):
            with self._database.reading() as session:
                rows = repository.rows_by_id(session, page)
            self._add(rows)

    def _add(self, rows: Sequence[RecordRow]) -> None:
        texts = [
            {
                "record_id": row.id,
                "dataset_id": self._dataset_id,
                "digest": digest_of(row.content_hash),
                "words": stored_words(self._dataset_id, _texts_of(row)),
            }
            for row in rows
        ]
        for part in turns(self._database, texts):
            with self._database.transaction() as session:
                if not repository.keep_dataset(session, self._dataset_id):
                    raise DatasetGone
                repository.add_texts(session, part)
            self._tell(len(part))

    def _tell(self, done: int) -> None:
        self._done += done
        self._watch.progress(
            self._done / self._count,
            Message.ngettext(
                "The words of {done:,} of {n:,} record are indexed",
                "The words of {done:,} of {n:,} records are indexed",
                n=self._count,
                done=self._done,
            ),
        )
        self._watch.check_cancelled()


def _texts_of(row: RecordRow) -> list[str]:
    """Whatever the dataset's fields are now: what a record says depends on the record alone."""
    return [row.external_id, *(text for text in map(value_text, row.fields.values()) if text)]
