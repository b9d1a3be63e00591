"""Finding records of a dataset quickly, and keeping what is needed for it up to date."""

from datetime import datetime
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from backend.core.exceptions import NotFound
from backend.core.services import Services
from backend.jobs.queue import enqueue_if_none_waiting, list_recent
from backend.jobs.repository import UNFINISHED
from backend.record_index import repository
from backend.record_index.columns import RecordColumns
from backend.record_index.columns_building import folder_of_dataset
from backend.record_index.schemas import INDEX_JOB, IndexState
from backend.record_index.text_query import read_query
from backend.words import Message

_open: dict[Path, tuple[str, RecordColumns]] = {}
"""Of the process: a dataset's folder to the name of the one below it that is open, and what that
holds."""
_lock = Lock()


class RecordIndex:
    """Words and columns of datasets' current records; for any thread."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def columns(self, dataset_id: int) -> RecordColumns | None:
        """The newest columns of the dataset; None before there are any."""
        while True:
            with self._services.database.reading() as session:
                state = repository.get_state(session, dataset_id)
            place = folder_of_dataset(self._services, dataset_id)
            if state is None or state.folder is None:
                _open.pop(place, None)
                return None
            with _lock:
                folder, opened = _open.get(place, (None, None))
                if folder == state.folder:
                    return opened
                try:
                    opened = RecordColumns(place / state.folder)
                except FileNotFoundError:
                    if self._is_replaced(dataset_id, state.folder):
                        continue
                    return None
                _open[place] = state.folder, opened
                return opened

    def _is_replaced(self, dataset_id: int, folder: str) -> bool:
        with self._services.database.reading() as session:
            state = repository.get_state(session, dataset_id)
        return state is not None and state.folder != folder

    def search(self, session: Session, dataset_id: int, query: str) -> NDArray[np.int64]:
        """Ascending ids of the records that ``query`` fits, as of the index's generation.

        Whatever a person typed, it is an answer: words are all wanted, "phrases" too, the last
        word may be the beginning of one, and -words are not wanted. Nothing asks for all.
        """
        asked = read_query(query)
        found = repository.search(session, dataset_id, asked.wanted)
        for phrase in asked.unwanted:
            gone = repository.search(session, dataset_id, [phrase])
            found = np.setdiff1d(found, gone, assume_unique=True)
        return found

    def state(self, dataset_id: int) -> IndexState:
        """Up to where the dataset is indexed.

        Raises:
            NotFound: there is no such dataset.
        """
        with self._services.database.reading() as session:
            dataset = repository.get_dataset(session, dataset_id)
            if dataset is None:
                raise NotFound(
                    Message("There is no dataset {name_or_id!r}.", name_or_id=dataset_id),
                    field="dataset",
                    value=dataset_id,
                    remedy=Message("The list of datasets has those there are."),
                )
            state = repository.get_state(session, dataset_id)
            jobs = list_recent(session, name=INDEX_JOB, statuses=UNFINISHED)
        columns = self.columns(dataset_id)
        made = state.columns_generation if state is not None and columns is not None else None
        text = state.text_generation if state is not None else None
        mine = [job for job in jobs if job.args.get("dataset_id") == dataset_id]
        return IndexState(
            text_generation=text,
            columns_generation=made,
            records=0 if columns is None else len(columns),
            is_current=text == made == dataset.generation,
            progress=max((job.progress for job in mine), default=None),
        )

    def request(self, session: Session, dataset_id: int) -> str:
        """The index follows what the caller's transaction wrote; the job's id."""
        return request_index(session, dataset_id, now=self._services.clock())


def request_index(session: Session, dataset_id: int, *, now: datetime) -> str:
    """The index follows what the caller's transaction wrote; the job's id."""
    return enqueue_if_none_waiting(session, INDEX_JOB, args={"dataset_id": dataset_id}, now=now)
