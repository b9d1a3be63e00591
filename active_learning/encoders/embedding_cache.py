"""Embeddings on disk, computed once per (encoder revision, text).

A folder per encoder revision holds three files: ``vectors.f16`` (rows of float16),
``texts.hashes`` (16 bytes a row) and ``count`` (how many rows are valid). Rows are written and
synced before the count moves, so a process killed while writing leaves a tail that nobody reads
and the next writer overwrites. One process writes at a time; any number may read.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from errno import ENOSPC
from hashlib import blake2b
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from active_learning.encoders.base import KEPT_AS, Encoder, texts_at_once
from active_learning.exceptions import ArtifactCorrupt, CacheLocked, DiskFull
from active_learning.row_file import RowFile
from active_learning.types import (
    Embeddings,
    Progress,
    Reason,
    ShouldStop,
    check_stop,
    never,
    silent,
)

VECTORS, HASHES, COUNT = "vectors.f16", "texts.hashes", "count"
HASH_BYTES = 16
"""128 bits: that two of a billion texts share a hash has a chance below 1e-20 (birthday bound)."""


def folder_of(directory: Path, revision: str) -> Path:
    """Where the embeddings of that encoder revision lie; it may be deleted at any time."""
    return directory / blake2b(revision.encode(), digest_size=8).hexdigest()


class EmbeddingCache:
    """The embeddings of one encoder below a directory.

    Args:
        directory: shared by all encoders; each revision has its own folder.
        encoder: computes what is missing.
        lock_seconds: how long to wait for another writer.
    """

    def __init__(self, directory: Path, encoder: Encoder, *, lock_seconds: float = 600.0) -> None:
        self._encoder = encoder
        self._lock_seconds = lock_seconds
        self._folder = folder_of(directory, encoder.revision)
        self._row_bytes = encoder.dimension * 2
        self._file = RowFile(self._folder / VECTORS, KEPT_AS, encoder.dimension)
        self._places: dict[bytes, int] = {}
        self._known = self._generation = 0
        self._guard = threading.RLock()

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self._encoder.dimension

    @property
    def revision(self) -> str:
        """Revision of the encoder whose embeddings these are."""
        return self._encoder.revision

    @property
    def texts_at_once(self) -> int:
        """How many new texts a call keep the encoder busy."""
        return texts_at_once(self._encoder)

    @property
    def generation(self) -> int:
        """Rises when somebody has deleted the folder: places from before mean nothing then."""
        with self._guard:
            self._refresh()
            return self._generation

    def __len__(self) -> int:
        """Embeddings on disk."""
        with self._guard:
            self._refresh()
            return self._known

    def embed(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32 in the order of the texts; what was missing is now cached.

        Raises:
            Cancelled: ``should_stop`` answered True; finished chunks stay cached.
            CacheLocked: another process kept writing for longer than ``lock_seconds``.
            DiskFull: no space left; the cache holds what it held before the last chunk.
        """
        hashes = [text_hash(text) for text in texts]
        with self._guard:
            self._refresh()
            if any(key not in self._places for key in hashes):
                self._add_missing(texts, hashes, progress, should_stop)
            progress(1.0, Reason("embeddings ready"))
            return self.vectors(self.places(hashes))

    def add(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> None:
        """Every text is cached; none is read back.

        Raises:
            Cancelled, CacheLocked, DiskFull: as for :meth:`embed`.
        """
        hashes = [text_hash(text) for text in texts]
        with self._guard:
            self._refresh()
            if any(key not in self._places for key in hashes):
                self._add_missing(texts, hashes, progress, should_stop)

    def places(self, hashes: Iterable[bytes]) -> NDArray[np.int64]:
        """(n,) the row of each text by its hash, -1 where it is not cached.

        Rows stay where they are while nobody deletes the folder; they mean nothing afterwards.
        """
        with self._guard:
            self._refresh()
            return np.array([self._places.get(key, -1) for key in hashes], dtype=np.int64)

    def vectors(self, places: NDArray[np.int64]) -> Embeddings:
        """(m, dimension) float32 of these rows; only they are read.

        Raises:
            IndexError: there are fewer rows.
        """
        return self._file.read(places).astype(np.float32)

    def _add_missing(
        self,
        texts: Sequence[str],
        hashes: Sequence[bytes],
        progress: Progress,
        should_stop: ShouldStop,
    ) -> None:
        with self._write_lock(should_stop):
            self._refresh()
            missing = {
                key: text
                for key, text in zip(hashes, texts, strict=True)
                if key not in self._places
            }
            # Texts of like length share a batch, so little is computed on padding.
            todo = sorted(missing.items(), key=lambda pair: (len(pair[1]), pair[0]))
            # Embedded and committed at a time: as many as keep the encoder's device busy.
            chunk = texts_at_once(self._encoder)
            for start in range(0, len(todo), chunk):
                check_stop(should_stop, "embedding records")
                part = todo[start : start + chunk]

                def tell(
                    share: float, _: Reason | None = None, start: int = start, n: int = len(part)
                ) -> None:
                    done = start + int(share * n)
                    progress(
                        done / len(todo),
                        Reason.ngettext(
                            "embedded {done:,} of {n:,} new record",
                            "embedded {done:,} of {n:,} new records",
                            n=len(todo),
                            done=done,
                        ),
                    )

                vectors = self._encoder.encode([text for _, text in part], tell, should_stop)
                self._append([key for key, _ in part], vectors)
                tell(1.0)

    def _append(self, keys: Sequence[bytes], vectors: Embeddings) -> None:
        """The rows are on disk, synced, and then counted."""
        try:
            _write_at(
                self._folder / VECTORS,
                self._known * self._row_bytes,
                vectors.astype(KEPT_AS).tobytes(),
            )
            _write_at(self._folder / HASHES, self._known * HASH_BYTES, b"".join(keys))
            replacement = self._folder / f"{COUNT}.new"
            with replacement.open("w") as file:
                file.write(str(self._known + len(keys)))
                file.flush()
                os.fsync(file.fileno())
            replacement.replace(self._folder / COUNT)
        except OSError as error:
            if error.errno == ENOSPC:
                raise DiskFull(
                    Reason(
                        "The disk is full while caching embeddings in {folder}: free space and "
                        "repeat; the {known:,} embeddings cached so far are intact.",
                        folder=self._folder,
                        known=self._known,
                    )
                ) from error
            raise
        self._refresh()

    def _refresh(self) -> None:
        """Rows that were committed since the last look are known, whoever wrote them."""
        try:
            count = int((self._folder / COUNT).read_text())
        except FileNotFoundError:
            count = 0
        except ValueError as error:
            raise ArtifactCorrupt(
                Reason(
                    "{file} is not a number; delete the folder to embed anew.",
                    file=self._folder / COUNT,
                )
            ) from error
        if count < self._known:  # somebody deleted the folder: start over
            self._places, self._known = {}, 0
            self._generation += 1
        if count == self._known:
            return
        with (self._folder / HASHES).open("rb") as file:
            file.seek(self._known * HASH_BYTES)
            block = file.read((count - self._known) * HASH_BYTES)
        on_disk = (self._folder / VECTORS).stat().st_size
        if len(block) < (count - self._known) * HASH_BYTES or on_disk < count * self._row_bytes:
            raise ArtifactCorrupt(
                Reason(
                    "The embedding cache {folder} counts {count:,} rows but holds fewer; delete "
                    "the folder to embed anew.",
                    folder=self._folder,
                    count=count,
                )
            )
        for row in range(self._known, count):
            offset = (row - self._known) * HASH_BYTES
            self._places[block[offset : offset + HASH_BYTES]] = row
        self._known = count

    @contextmanager
    def _write_lock(self, should_stop: ShouldStop) -> Iterator[None]:
        """This process alone writes; the lock dies with the process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "revision.txt").write_text(self._encoder.revision, encoding="utf-8")
        lock = FileLock(self._folder / "lock", timeout=self._lock_seconds, is_singleton=False)
        try:
            held = lock.acquire(cancel_check=should_stop)
        except Timeout as error:
            check_stop(should_stop, "waiting for the embedding cache")
            raise CacheLocked(
                Reason(
                    "Another process has been writing to {folder} for more than {lock_seconds:g} "
                    "seconds; try again when it is done.",
                    folder=self._folder,
                    lock_seconds=self._lock_seconds,
                )
            ) from error
        with held:
            yield


def _write_at(path: Path, offset: int, data: bytes) -> None:
    """The bytes stand at the offset, nothing after them, synced."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def text_hash(text: str) -> bytes:
    """``HASH_BYTES`` that stand for a text, whatever the encoder."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()
