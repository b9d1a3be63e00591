"""Makes what a pool lacks on disk, from pages of records: never all of them in memory."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_features import layout_of
from active_learning.classifiers.stored_features import SignalFiles, SignalWriter, StoredFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.embedding_cache import EmbeddingCache, text_hash
from active_learning.encoders.record_text import record_text
from active_learning.types import check_stop
from backend.core.database import Database
from backend.features import repository
from backend.features.pool_files import PoolFolder, PoolWriter
from backend.features.time_left import TimeLeft
from backend.words import Message, Progress, Worded

ShouldStop = Callable[[], bool]
Page = tuple[list[int], list[dict[str, Any]]]
Consumer = Callable[[list[int], list[dict[str, Any]], list[str]], None]

TEXTS_EMBEDDED_AT_ONCE = 20_000
"""Of like length beside each other: little is computed on padding, and the rows that are read
together later lie together on disk. Chosen: bounds memory."""


class Pages:
    """The current records of a dataset, page by page, each in a short transaction.

    Args:
        database: where they are.
        dataset_id: whose.
        fields: which values.
        count: how many there are, for the progress.
    """

    def __init__(
        self, database: Database, dataset_id: int, fields: Sequence[str], count: int
    ) -> None:
        self._database, self._dataset_id = database, dataset_id
        self._fields, self.count = tuple(fields), count

    def __iter__(self) -> Iterator[Page]:
        last = 0
        while True:
            with self._database.reading() as session:
                rows = repository.record_page(session, self._dataset_id, last)
            if rows:
                last = rows[-1][0]
                yield (
                    [record_id for record_id, _ in rows],
                    [{name: values.get(name) for name in self._fields} for _, values in rows],
                )
            if len(rows) < repository.RECORDS_PER_QUERY:
                return

    def embed(self, cache: EmbeddingCache, progress: Progress, should_stop: ShouldStop) -> None:
        """Every record's text is in the cache."""
        embedding = _Embedding(cache, self.count, TimeLeft(progress), should_stop)
        for _, records in self:
            embedding.add([record_text(record) for record in records])
        embedding.flush()


class PoolBuilding:
    """One pool on its way: ids and hashes, embeddings, fitted columns, signals.

    What is there already is not made again; a killed building leaves embeddings that are cached
    and nothing half-written under a name that is read.
    """

    def __init__(
        self,
        folder: PoolFolder,
        cache: EmbeddingCache,
        pages: Pages,
        today: date,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> None:
        self._folder, self._cache, self._pages = folder, cache, pages
        self._today, self._progress, self._should_stop = today, progress, should_stop

    def run(self, signals: ColumnSignals | None) -> tuple[StoredFeatures, ColumnSignals]:
        """The pool's features against those signals, or against some fitted on it; and these."""
        fitted = self._folder.signals_fingerprint()
        is_fitting = signals is None and fitted is None
        if signals is None and fitted is not None:
            signals = self._folder.signals(fitted).column_signals()
        needed = None if signals is None else self._folder.signals(signals.fingerprint())
        is_signalled = needed is not None and len(needed) > 0
        places = self._places()
        is_embedded = places is not None and bool((places >= 0).all())
        reads = int(is_fitting) + int(not is_signalled) if self._pages.count else 0
        told = _Share(TimeLeft(self._progress), max(1, reads))
        if is_fitting or not is_embedded:
            signals = self._first_reading(signals, is_embedded, is_signalled, told)
            is_signalled = not is_fitting
        assert signals is not None
        if not is_signalled:
            with ExitStack() as stack:
                writer = self._signal_writer(signals, stack)
                self._read([_signals_of(signals, writer)], told)
                writer.finish()
        if is_fitting:
            self._folder.set_signals_fingerprint(signals.fingerprint())
        places = self._places()
        assert places is not None
        return (
            StoredFeatures(
                layout_of(self._cache.dimension, signals),
                self._cache.vectors,
                places,
                SignalFiles(self._folder.signals_path(signals.fingerprint()), len(signals.fields)),
            ),
            signals,
        )

    def _first_reading(
        self,
        signals: ColumnSignals | None,
        is_embedded: bool,
        is_signalled: bool,
        told: "_Share",
    ) -> ColumnSignals:
        """Ids, hashes and embeddings are there; signals too, or columns fitted where None."""
        with ExitStack() as stack:
            consumers: list[Consumer] = []
            pool = None if self._folder.is_there else self._pool_writer(stack)
            if pool is not None:
                consumers.append(lambda ids, _, texts: pool.add(ids, list(map(text_hash, texts))))
            embedding = _Embedding(self._cache, 0, told.inner, self._should_stop)
            if not is_embedded:
                consumers.append(lambda _ids, _, texts: embedding.add(texts))
            writer = None
            if signals is None:
                signals = ColumnSignals.fit(
                    self._stream(consumers, told),
                    fields=list(self._folder.fields),
                    today=self._today,
                    should_stop=self._should_stop,
                )
            else:
                if not is_signalled:
                    writer = self._signal_writer(signals, stack)
                    consumers.append(_signals_of(signals, writer))
                self._read(consumers, told)
            embedding.flush()
            if pool is not None:
                pool.finish()
            if writer is not None:
                writer.finish()
        told.next()
        return signals

    def _pool_writer(self, stack: ExitStack) -> PoolWriter:
        writer = PoolWriter(self._folder)
        stack.callback(writer.discard)
        return writer

    def _signal_writer(self, signals: ColumnSignals, stack: ExitStack) -> SignalWriter:
        path = self._folder.signals_path(signals.fingerprint())
        # Beside the pool, not in it: the pool's folder may not be there yet.
        beside = self._folder.path.with_name(f".{self._folder.path.name}.{path.name}.{os.getpid()}")
        writer = SignalWriter(path, beside, signals)
        stack.callback(writer.discard)
        return writer

    def _places(self) -> NDArray[np.int64] | None:
        """(n,) where each record's embedding is, -1 where it is not; None before there are ids."""
        if not self._folder.is_there:
            return None
        return self._cache.places(self._folder.hashes())

    def _read(self, consumers: list[Consumer], told: "_Share") -> None:
        deque(self._stream(consumers, told), maxlen=0)

    def _stream(self, consumers: list[Consumer], told: "_Share") -> Iterator[dict[str, Any]]:
        """The records; every page has gone to the consumers before its first one comes."""
        done, total = 0, self._pages.count
        for ids, records in self._pages:
            check_stop(self._should_stop, "reading records")
            texts = [record_text(record) for record in records]
            for consume in consumers:
                consume(ids, records, texts)
            yield from records
            done += len(ids)
            told(
                done / max(done, total),
                Message.ngettext(
                    "{done:,} of {n:,} record read",
                    "{done:,} of {n:,} records read",
                    n=total,
                    done=done,
                ),
            )


class _Share:
    """Several readings, one after the other, as one progress from 0 to 1."""

    def __init__(self, progress: Progress, readings: int) -> None:
        self._progress, self._readings, self._number = progress, readings, 0
        self._last = 0.0

    def __call__(self, share: float, message: str | Worded) -> None:
        self._last = share
        self._progress(min(1.0, (self._number + share) / self._readings), message)

    def inner(self, _share: float, message: str | Worded) -> None:
        """Something is done within a page: the words change, the share waits for the page."""
        self._progress(min(1.0, (self._number + self._last) / self._readings), message)

    def next(self) -> None:
        """The next reading begins."""
        self._number, self._last = self._number + 1, 0.0


class _Embedding:
    """Collects texts until there are enough to embed them together."""

    def __init__(
        self, cache: EmbeddingCache, count: int, progress: Progress, should_stop: ShouldStop
    ) -> None:
        self._cache, self._count = cache, count
        self._progress, self._should_stop = progress, should_stop
        self._texts: list[str] = []
        self._done = 0
        self._enough = max(TEXTS_EMBEDDED_AT_ONCE, cache.texts_at_once)

    def add(self, texts: Sequence[str]) -> None:
        """The texts are embedded soon."""
        self._texts += texts
        if len(self._texts) >= self._enough:
            self.flush()

    def flush(self) -> None:
        """All texts so far are cached."""
        texts, self._texts = self._texts, []
        done, whole = self._done, max(self._count, self._done + len(texts), 1)

        def tell(share: float, message: str | Worded) -> None:
            self._progress((done + share * len(texts)) / whole, message)

        self._cache.add(texts, tell, self._should_stop)
        self._done += len(texts)


def _signals_of(signals: ColumnSignals, writer: SignalWriter) -> Consumer:
    def consume(_ids: list[int], records: list[dict[str, Any]], _texts: list[str]) -> None:
        writer.add(signals.transform(records))

    return consume
