"""Records as numbers: embeddings and column signals, computed once and kept."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from active_learning.classifiers.record_features import RecordFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.base import Encoder
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.exceptions import (
    ActiveLearningError,
    Cancelled,
    DeviceUnavailable,
    DiskFull,
    EncoderUnavailable,
)
from active_learning.types import Features
from backend.core.exceptions import ConfigurationError, JobCancelled, StorageFull
from backend.core.services import Services
from backend.features import repository
from backend.records.repository import generation

Progress = Callable[[float, str], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class PoolFeatures:
    """Every current record of a dataset as a row of X.

    Attributes:
        record_ids: ascending; row i of ``matrix`` is record_ids[i].
    """

    record_ids: list[int]
    matrix: Features
    signals: ColumnSignals

    def rows(self, record_ids: Sequence[int]) -> Features:
        """The rows of these records, in this order.

        Raises:
            KeyError: a record is not among them.
        """
        place = {record_id: row for row, record_id in enumerate(self.record_ids)}
        return np.asarray(self.matrix[[place[record_id] for record_id in record_ids]])


class FeatureStore:
    """Features of datasets, shared by the jobs of one worker process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._encoders: dict[str | None, Encoder] = {}
        self._caches: dict[str, EmbeddingCache] = {}
        self._pool: tuple[tuple[object, ...], PoolFeatures] | None = None

    def encoder(self, folder: str | None = None) -> Encoder:
        """The encoder that the settings name, or its fine-tuned successor in ``folder``.

        Raises:
            ConfigurationError: it cannot be loaded; the message says what to do.
        """
        if folder not in self._encoders:
            settings = self._services.settings
            try:
                self._encoders[folder] = load_encoder(
                    settings.encoder,
                    device=settings.device,
                    dtype=settings.dtype,
                    threads=settings.torch_threads,
                    fine_tuned=settings.models_dir / folder if folder else None,
                )
            except DeviceUnavailable as error:
                raise ConfigurationError(
                    str(error), field="device", value=settings.device
                ) from error
            except EncoderUnavailable as error:
                raise ConfigurationError(
                    str(error), field="encoder", value=folder or settings.encoder
                ) from error
        return self._encoders[folder]

    def cache(self, folder: str | None = None) -> EmbeddingCache:
        """The embeddings on disk of that encoder."""
        encoder = self.encoder(folder)
        directory = self._services.settings.embeddings_dir
        return self._caches.setdefault(encoder.revision, EmbeddingCache(directory, encoder))

    def pool(
        self,
        dataset_id: int,
        fields: Sequence[str],
        progress: Progress,
        should_stop: ShouldStop,
        encoder_folder: str | None = None,
    ) -> PoolFeatures:
        """Features of every current record; kept in memory until the records change."""
        with self._lock:
            with self._services.database.reading() as session:
                state = generation(session, dataset_id)
            key = (dataset_id, state, tuple(fields), self.encoder(encoder_folder).revision)
            if self._pool is None or self._pool[0] != key:
                self._pool = None  # free the old matrix before the new one is made
                records = self.records(dataset_id, fields)
                self._pool = (
                    key,
                    self._compute(records, fields, progress, should_stop, encoder_folder),
                )
            return self._pool[1]

    def records(
        self, dataset_id: int, fields: Sequence[str]
    ) -> tuple[list[int], list[dict[str, Any]]]:
        """(ids ascending, values of these fields) of every current record of the dataset."""
        record_ids: list[int] = []
        records: list[dict[str, Any]] = []
        with self._services.database.reading() as session:
            for record_id, _, values in repository.iterate_records(session, dataset_id):
                record_ids.append(record_id)
                records.append({name: values.get(name) for name in fields})
        return record_ids, records

    def transform(
        self,
        signals: ColumnSignals,
        records: Sequence[dict[str, Any]],
        progress: Progress,
        should_stop: ShouldStop,
        encoder_folder: str | None = None,
    ) -> Features:
        """(n, width) features of these records against the columns that ``signals`` saw."""
        features = RecordFeatures(self.cache(encoder_folder), signals)
        return features.transform(records, progress, should_stop)

    def _compute(
        self,
        records: tuple[list[int], list[dict[str, Any]]],
        fields: Sequence[str],
        progress: Progress,
        should_stop: ShouldStop,
        encoder_folder: str | None,
    ) -> PoolFeatures:
        record_ids, values = records
        progress(0.0, f"reading the columns of {len(values)} records")
        signals = ColumnSignals.fit(
            values,
            fields=list(fields),
            today=self._services.clock().date(),
            should_stop=should_stop,
        )
        matrix = self.transform(signals, values, progress, should_stop, encoder_folder)
        return PoolFeatures(record_ids, matrix, signals)


@contextmanager
def learning_facts(directory: Path) -> Iterator[None]:
    """Inside, errors of the learning library become the application's."""
    try:
        yield
    except Cancelled as error:
        raise JobCancelled(str(error)) from error
    except DiskFull as error:
        raise StorageFull(
            f"There is no space left in {directory}: {error}",
            remedy="Free some space; the training starts again by itself.",
        ) from error
    except OSError as error:
        if error.errno == 28:
            raise StorageFull(
                f"There is no space left in {directory}.",
                remedy="Free some space; the training starts again by itself.",
            ) from error
        raise
    except ActiveLearningError:
        raise
