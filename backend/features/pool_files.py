"""Pools on disk: which records, their texts' hashes, and their signals, for any process to read.

``pools/dataset-3/<fields>/<state>/`` belongs to one state of a dataset's records:
``ids.i64`` and ``texts.hashes`` have a row a record, ``fitted`` names the column signals that were
fitted on these very records, and ``signals-<fingerprint>/`` holds the records' signals against
those or any other column signals. Embeddings are in the cache, found by the texts' hashes.
"""

import json
import os
import shutil
import time
import weakref
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import ReadWriteLock, Timeout
from numpy.typing import NDArray

from active_learning.classifiers.stored_features import SignalFiles
from active_learning.encoders.embedding_cache import HASH_BYTES
from backend.core.purged import Purged, bytes_below

IDS, HASHES, FITTED, LOCK = "ids.i64", "texts.hashes", "fitted", "in-use"
KEPT_DAYS = 7
"""A pool or signals that no job has read for so long are deleted: projects that are worked on
choose a batch more often. Chosen."""
DAY = 24 * 3600.0


class PoolFolder:
    """One state of a dataset's records.

    Args:
        root: of all pools.
        dataset_id: whose records.
        state: changes whenever they do.
        fields: what of them is read.
    """

    def __init__(
        self, root: Path, dataset_id: int, state: tuple[int, ...], fields: Sequence[str]
    ) -> None:
        self.fields = tuple(fields)
        self.path = root / f"dataset-{dataset_id}" / _key(list(fields)) / _key(list(state))

    @property
    def is_there(self) -> bool:
        """Whether ids and hashes are written: the folder is made whole."""
        return (self.path / IDS).exists()

    def record_ids(self) -> NDArray[np.int64]:
        """(n,) ascending."""
        return np.fromfile(self.path / IDS, dtype=np.int64)

    def hashes(self) -> Iterator[bytes]:
        """Of the n texts, in the order of the records."""
        block = (self.path / HASHES).read_bytes()
        for start in range(0, len(block), HASH_BYTES):
            yield block[start : start + HASH_BYTES]

    def signals_fingerprint(self) -> str | None:
        """Fingerprint of the column signals fitted on these records; None before they are."""
        try:
            found = (self.path / FITTED).read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        return found if len(self.signals(found)) else None

    def set_signals_fingerprint(self, fingerprint: str) -> None:
        """The column signals fitted on these records are those."""
        beside = self.path / f".{FITTED}.{os.getpid()}"
        beside.write_text(fingerprint, "utf-8")
        beside.replace(self.path / FITTED)

    def signals_path(self, fingerprint: str) -> Path:
        """Where the records' signals against such column signals lie."""
        return self.path / f"signals-{fingerprint[:16]}"

    def signals(self, fingerprint: str) -> SignalFiles:
        """Those signals; of length 0 where they are not computed."""
        return SignalFiles(self.signals_path(fingerprint), len(self.fields))

    def hold(self, holder: object) -> bool:
        """Nobody deletes the pool while ``holder`` lives; False where somebody just has."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = ReadWriteLock(self.path / LOCK, is_singleton=False)
        lock.acquire_read()
        weakref.finalize(holder, lock.close)
        return (self.path / LOCK).exists() and self.is_there

    def touch(self, fingerprint: str) -> None:
        """Pool and signals were read now."""
        for path in (self.path, self.signals_path(fingerprint)):
            os.utime(path)


class PoolWriter:
    """Writes ids and hashes piece by piece; :meth:`finish` makes the folder."""

    def __init__(self, folder: PoolFolder) -> None:
        self._folder = folder
        self._beside = folder.path.with_name(f".{folder.path.name}.{os.getpid()}")
        shutil.rmtree(self._beside, ignore_errors=True)
        self._beside.mkdir(parents=True)
        self._ids: BinaryIO = (self._beside / IDS).open("wb")
        self._hashes: BinaryIO = (self._beside / HASHES).open("wb")

    def add(self, record_ids: Sequence[int], hashes: Sequence[bytes]) -> None:
        """The next records, by rising id."""
        self._ids.write(np.array(record_ids, dtype=np.int64).data)
        self._hashes.write(b"".join(hashes))

    def finish(self) -> None:
        """The pool is there."""
        for file in (self._ids, self._hashes):
            file.flush()
            os.fsync(file.fileno())
            file.close()
        if self._folder.is_there:  # another process was faster; its pool is the same
            return self.discard()
        shutil.rmtree(self._folder.path, ignore_errors=True)
        self._beside.rename(self._folder.path)
        return None

    def discard(self) -> None:
        """Nothing of it is left; after :meth:`finish` nothing happens."""
        for file in (self._ids, self._hashes):
            file.close()
        shutil.rmtree(self._beside, ignore_errors=True)


def purge_pools(root: Path, *, is_dry: bool, now: float | None = None) -> list[Purged]:
    """Pools and signals that nobody has read for ``KEPT_DAYS``, and what killed jobs left, are
    deleted, or would be if ``is_dry``; never one that is in use."""
    latest = (time.time() if now is None else now) - KEPT_DAYS * DAY
    gone: list[Purged] = []
    for folder in sorted(root.glob("dataset-*/*/*")):
        old = [folder] if _age(folder) < latest else []
        old = old or [path for path in sorted(folder.glob("*signals-*")) if _age(path) < latest]
        gone += _delete(folder, old, is_dry=is_dry)
    return gone


def forget_earlier(folder: PoolFolder) -> None:
    """Pools of earlier states of the same records, but for those in use, are deleted."""
    for other in sorted(folder.path.parent.glob("[!.]*")):
        if other != folder.path:
            _delete(other, [other], is_dry=False)


def _delete(folder: Path, paths: Sequence[Path], *, is_dry: bool) -> list[Purged]:
    """These paths, which are the folder or below it, unless the folder is in use."""
    if not paths:
        return []
    lock = ReadWriteLock(folder / LOCK, is_singleton=False)
    try:
        with lock.write_lock(blocking=False):
            gone = [Purged(str(path), bytes_below(path), "features nobody reads") for path in paths]
            for path in () if is_dry else paths:
                shutil.rmtree(path, ignore_errors=True)
    except Timeout:
        return []
    finally:
        lock.close()
    return gone


def _key(parts: list[Any]) -> str:
    text = json.dumps(parts, ensure_ascii=False)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
