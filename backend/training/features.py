"""Records as numbers: embeddings and column signals, computed once and kept."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from active_learning.classifiers.column_signals import ColumnSignals
from active_learning.classifiers.embedding_cache import EmbeddingCache
from active_learning.classifiers.encoders import Encoder, load_encoder
from active_learning.classifiers.record_features import RecordFeatures
from active_learning.exceptions import ActiveLearningError, Cancelled, DiskFull, EncoderUnavailable
from active_learning.types import Features
from backend.core.exceptions import ConfigurationError, JobCancelled, StorageFull
from backend.core.services import Services
from backend.training import repository

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
        self._pool: tuple[tuple[object, ...], PoolFeatures] | None = None

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder that the settings name.

        Raises:
            ConfigurationError: it cannot be loaded; the message says what to do.
        """
        settings = self._services.settings
        try:
            return load_encoder(
                settings.encoder, device=settings.device, threads=settings.torch_threads
            )
        except EncoderUnavailable as error:
            raise ConfigurationError(str(error), field="encoder", value=settings.encoder) from error

    @cached_property
    def _cache(self) -> EmbeddingCache:
        return EmbeddingCache(self._services.settings.embeddings_dir, self.encoder)

    def pool(
        self,
        dataset_id: int,
        fields: Sequence[str],
        progress: Progress,
        should_stop: ShouldStop,
    ) -> PoolFeatures:
        """Features of every current record; kept in memory until the records change."""
        with self._lock:
            with self._services.database.reading() as session:
                state = repository.record_state(session, dataset_id)
            key = (dataset_id, state, tuple(fields), self.encoder.revision)
            if self._pool is None or self._pool[0] != key:
                self._pool = None  # free the old matrix before the new one is made
                self._pool = (key, self._compute(dataset_id, fields, progress, should_stop))
            return self._pool[1]

    def transform(
        self,
        signals: ColumnSignals,
        records: Sequence[dict[str, Any]],
        progress: Progress,
        should_stop: ShouldStop,
    ) -> Features:
        """(n, width) features of these records against the columns that ``signals`` saw."""
        return RecordFeatures(self._cache, signals).transform(records, progress, should_stop)

    def _compute(
        self,
        dataset_id: int,
        fields: Sequence[str],
        progress: Progress,
        should_stop: ShouldStop,
    ) -> PoolFeatures:
        record_ids: list[int] = []
        records: list[dict[str, Any]] = []
        with self._services.database.reading() as session:
            for record_id, _, values in repository.iterate_records(session, dataset_id):
                record_ids.append(record_id)
                records.append({name: values.get(name) for name in fields})
        progress(0.0, f"reading the columns of {len(records)} records")
        signals = ColumnSignals.fit(
            records,
            fields=list(fields),
            today=self._services.clock().date(),
            should_stop=should_stop,
        )
        matrix = self.transform(signals, records, progress, should_stop)
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
