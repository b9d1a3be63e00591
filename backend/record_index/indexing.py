"""One dataset's index is brought up to date: columns first, which take less time than words."""

from typing import Any

from sqlmodel import Session

from backend.core.services import Services
from backend.record_index import repository
from backend.record_index.columns_building import ColumnsBuilding
from backend.record_index.text_indexing import DatasetGone, index_texts
from backend.records.field_removal import Watch

COLUMNS = 0.2
"""Share of the columns in all of it, the first time. Measured on SQLite."""


def index_dataset(services: Services, dataset_id: int, watch: Watch) -> dict[str, Any]:
    """Words and columns are those of the generation that the dataset had at the start, or newer.

    A killed run is repeated: it finds the words that were stored, and makes the columns anew.
    One process at a time may do it for a dataset.
    """
    try:
        made = make_columns(services, dataset_id, _PartOfWork(watch, 0.0, COLUMNS))
        changed = store_words(services, dataset_id, _PartOfWork(watch, COLUMNS, 1.0))
    except DatasetGone:
        return {"dataset": "gone"}
    return {"columns": made, "texts": changed}


def make_columns(services: Services, dataset_id: int, watch: Watch) -> bool:
    """The columns are those of the dataset; False: they were already.

    Raises:
        DatasetGone: the dataset was deleted meanwhile.
    """
    with services.database.reading() as session:
        dataset = repository.get_dataset(session, dataset_id)
        state = repository.get_state(session, dataset_id)
    if dataset is None:
        raise DatasetGone
    building = ColumnsBuilding(services, dataset_id, watch)
    former = None if state is None else state.folder
    numbers = [field for field, known in dataset.types.items() if known == "number"]
    is_newest = state is not None and state.columns_generation == dataset.generation
    if is_newest and building.is_made(former, dataset.fields, numbers):
        return False
    folder = building.run(dataset.generation, dataset.fields, numbers, former)
    with services.database.transaction() as session:
        _keep(session, dataset_id)
        repository.set_state(
            session,
            dataset_id,
            services.clock(),
            folder=folder,
            columns_generation=dataset.generation,
        )
    building.forget(kept=[folder, former])
    return True


def store_words(services: Services, dataset_id: int, watch: Watch) -> int:
    """The words are those of the dataset's records; how many records had others.

    Raises:
        DatasetGone: the dataset was deleted meanwhile.
    """
    with services.database.reading() as session:
        dataset = repository.get_dataset(session, dataset_id)
        state = repository.get_state(session, dataset_id)
    if dataset is None:
        raise DatasetGone
    if state is not None and state.text_generation == dataset.generation:
        return 0
    changed = index_texts(services, dataset_id, watch)
    with services.database.transaction() as session:
        _keep(session, dataset_id)
        repository.set_state(
            session, dataset_id, services.clock(), text_generation=dataset.generation
        )
    return changed


def _keep(session: Session, dataset_id: int) -> None:
    if not repository.keep_dataset(session, dataset_id):
        raise DatasetGone


class _PartOfWork:
    """A part of the work tells its progress as one of the whole."""

    def __init__(self, watch: Watch, begin: float, end: float) -> None:
        self._watch, self._begin, self._end = watch, begin, end

    def progress(self, fraction: float, message: str = "") -> None:
        """So much of the part is done."""
        self._watch.progress(self._begin + (self._end - self._begin) * fraction, message)

    def check_cancelled(self) -> None:
        """A safe point."""
        self._watch.check_cancelled()
