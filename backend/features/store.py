"""Records as numbers: embeddings and column signals, computed once, kept on disk."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_features import RecordFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.base import Encoder, bytes_of
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.exceptions import (
    ActiveLearningError,
    Cancelled,
    DeviceUnavailable,
    DiskFull,
    EncoderUnavailable,
)
from active_learning.types import FeatureRows, Features, Positions, check_stop
from backend.core.exceptions import ConfigurationError, JobCancelled, StorageFull
from backend.core.services import Services
from backend.features.encoder_choice import EncoderChoice
from backend.features.least_recently_used import LeastRecentlyUsed
from backend.features.pool_building import Pages, PoolBuilding, ShouldStop
from backend.features.pool_files import PoolFolder, forget_earlier
from backend.records.repository import count_current, records_state
from backend.words import Message, Progress

ENCODER_BYTES = 1_000_000_000
"""Encoders in memory with what is known of their caches: two of the bundled ones, or eight small
transformers. An evicted one is loaded again in seconds. Chosen."""
CACHED_TEXT_BYTES = 150
"""Memory a cached embedding takes: its text's hash in a dictionary. Measured."""
POOL_BYTES = 500_000_000
"""Pools in memory: ids, places and column signals; the features themselves stay on disk. Chosen."""
RECORD_BYTES = 50
"""Memory a record of a pool takes: an id as a Python integer in a list, and a place."""
JSON_FACTOR = 6
"""Column signals in memory against their text. Measured on tables of ten columns."""
LOCK_SECONDS = 0.5
"""How late a waiting job notices that it is to stop. Chosen."""

PoolKey: TypeAlias = tuple[Path, str, int, str]
"""Folder, encoder revision, generation of its cache, fingerprint of the column signals."""


@dataclass(frozen=True)
class PoolFeatures:
    """Every current record of a dataset as a row of X.

    Attributes:
        record_ids: ascending; row i of ``matrix`` is record_ids[i].
        matrix: (n, width) on disk, read by rows.
        signals: the columns against which the records were seen.
    """

    record_ids: list[int]
    matrix: FeatureRows
    signals: ColumnSignals
    bytes: int = 0

    def positions(self, record_ids: Sequence[int] | NDArray[np.int64]) -> Positions:
        """(m,) the rows of these records, -1 where they are not among them."""
        wanted = np.array(record_ids, dtype=np.int64)
        if not self.record_ids:
            return np.full(len(wanted), -1, dtype=np.intp)
        ids = np.array(self.record_ids, dtype=np.int64)
        places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        return np.where(ids[places] == wanted, places, -1)

    def rows(self, record_ids: Sequence[int]) -> Features:
        """(m, width) the rows of these records, in this order.

        Raises:
            KeyError: a record is not among them.
        """
        places = self.positions(record_ids)
        if (places < 0).any():
            raise KeyError(record_ids[int(np.flatnonzero(places < 0)[0])])
        found: Features = self.matrix[places]
        return found


@dataclass(frozen=True)
class _Reader:
    """An encoder and its embeddings on disk."""

    encoder: Encoder
    cache: EmbeddingCache

    def bytes(self) -> int:
        return bytes_of(self.encoder) + CACHED_TEXT_BYTES * len(self.cache)


class FeatureStore:
    """Features of datasets, shared by the jobs of one worker process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._readers = LeastRecentlyUsed[EncoderChoice, _Reader](ENCODER_BYTES, _Reader.bytes)
        self._pools = LeastRecentlyUsed[PoolKey, PoolFeatures](POOL_BYTES, lambda pool: pool.bytes)
        self._reading = threading.Lock()

    @property
    def own(self) -> EncoderChoice:
        """The encoder that the settings name."""
        return EncoderChoice(self._services.settings.encoder)

    def encoder(self, choice: EncoderChoice | None = None) -> Encoder:
        """That encoder; the settings' own where None.

        Raises:
            ConfigurationError: it cannot be loaded; the message says what to do.
        """
        return self._reader(choice or self.own).encoder

    def cache(self, choice: EncoderChoice | None = None) -> EmbeddingCache:
        """The embeddings on disk of that encoder."""
        return self._reader(choice or self.own).cache

    def _reader(self, choice: EncoderChoice) -> _Reader:
        with self._reading:
            known = self._readers.get(choice)
            if known is None:
                encoder = self._load(choice)
                cache = EmbeddingCache(self._services.settings.embeddings_dir, encoder)
                known = _Reader(encoder, cache)
                self._readers.put(choice, known)
            return known

    def _load(self, choice: EncoderChoice) -> Encoder:
        settings = self._services.settings
        try:
            return load_encoder(
                choice.name,
                device=settings.device,
                dtype=settings.dtype,
                threads=settings.torch_threads,
                fine_tuned=settings.models_dir / choice.folder if choice.folder else None,
            )
        except DeviceUnavailable as error:
            raise ConfigurationError(
                Message.of_error(error), field="device", value=settings.device
            ) from error
        except EncoderUnavailable as error:
            raise ConfigurationError(
                Message.of_error(error), field="encoder", value=choice.folder or choice.name
            ) from error

    def pool(
        self,
        dataset_id: int,
        fields: Sequence[str],
        progress: Progress,
        should_stop: ShouldStop,
        choice: EncoderChoice | None = None,
        signals: ColumnSignals | None = None,
    ) -> PoolFeatures:
        """Features of every current record, on disk until the records change.

        Args:
            dataset_id: whose records.
            fields: what of them is read.
            progress: told of what has to be computed.
            should_stop: asked meanwhile.
            choice: the encoder; the settings' own where None.
            signals: the columns against which the records are seen, as a model version was trained;
                fitted on these records where None.

        Raises:
            Cancelled: ``should_stop`` answered True; finished embeddings stay cached.
        """
        with self._alone(should_stop):
            with self._services.database.reading() as session:
                state = records_state(session, dataset_id)
            count = state[1]
            folder = PoolFolder(self._services.settings.pools_dir, dataset_id, state, fields)
            cache = self.cache(choice)
            self._pools.drop(
                lambda key: key[0].parent == folder.path.parent and key[0] != folder.path
            )
            wanted = signals.fingerprint() if signals else folder.signals_fingerprint()
            encoded = (cache.revision, cache.generation)
            known = self._pools.get((folder.path, *encoded, wanted or ""))
            if known is None:
                known = self._build(
                    folder, dataset_id, count, cache, signals, progress, should_stop
                )
                fingerprint = known.signals.fingerprint()
                self._pools.put((folder.path, *encoded, fingerprint), known)
                forget_earlier(folder)
            folder.touch(known.signals.fingerprint())
            return known

    @contextmanager
    def _alone(self, should_stop: ShouldStop) -> Iterator[None]:
        """One thread makes pools at a time; the others wait, and may be cancelled."""
        while not self._lock.acquire(timeout=LOCK_SECONDS):
            check_stop(should_stop, "waiting for features that another job computes")
        try:
            yield
        finally:
            self._lock.release()

    def _build(
        self,
        folder: PoolFolder,
        dataset_id: int,
        count: int,
        cache: EmbeddingCache,
        signals: ColumnSignals | None,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> PoolFeatures:
        pages = Pages(self._services.database, dataset_id, folder.fields, count)
        today = self._services.clock().date()
        building = PoolBuilding(folder, cache, pages, today, progress, should_stop)
        matrix, seen = building.run(signals)
        ids = folder.record_ids().tolist()
        size = RECORD_BYTES * len(ids) + JSON_FACTOR * len(seen.to_json())
        pool = PoolFeatures(ids, matrix, seen, size)
        if not folder.hold(pool):  # deleted a moment ago, by somebody's housekeeping
            return self._build(folder, dataset_id, count, cache, signals, progress, should_stop)
        return pool

    def records(
        self, dataset_id: int, fields: Sequence[str]
    ) -> tuple[list[int], list[dict[str, Any]]]:
        """(ids ascending, values of these fields) of every current record, all in memory."""
        record_ids: list[int] = []
        records: list[dict[str, Any]] = []
        for ids, values in Pages(self._services.database, dataset_id, fields, 0):
            record_ids += ids
            records += values
        return record_ids, records

    def embed_all(
        self,
        dataset_id: int,
        fields: Sequence[str],
        choice: EncoderChoice,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> None:
        """Every current record's embedding by that encoder is cached on disk."""
        with self._services.database.reading() as session:
            count = count_current(session, dataset_id)
        pages = Pages(self._services.database, dataset_id, fields, count)
        pages.embed(self.cache(choice), progress, should_stop)

    def transform(
        self,
        signals: ColumnSignals,
        records: Sequence[dict[str, Any]],
        progress: Progress,
        should_stop: ShouldStop,
        choice: EncoderChoice | None = None,
    ) -> Features:
        """(n, width) features of these records against the columns that ``signals`` saw."""
        features = RecordFeatures(self.cache(choice), signals)
        return features.transform(records, progress, should_stop)


@contextmanager
def learning_facts(directory: Path) -> Iterator[None]:
    """Inside, errors of the learning library become the application's."""
    try:
        yield
    except Cancelled as error:
        raise JobCancelled(Message.of_error(error)) from error
    except DiskFull as error:
        raise StorageFull(
            Message(
                "There is no space left in {directory}: {error}", directory=directory, error=error
            ),
            remedy=Message("Free some space; the training starts again by itself."),
        ) from error
    except OSError as error:
        if error.errno == 28:
            raise StorageFull(
                Message("There is no space left in {directory}.", directory=directory),
                remedy=Message("Free some space; the training starts again by itself."),
            ) from error
        raise
    except ActiveLearningError:
        raise
