"""Records that somebody chose, too many for an address: kept under a short key."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.core.exceptions import NotFound
from backend.words import Message

KEY_DIGITS = 16
KEPT = 200
"""Selections of a project; the oldest go first. Chosen: 16 MB at most."""


@dataclass(frozen=True)
class Selections:
    """The selections of one project.

    Args:
        root: of all projects' selections.
        project_id: whose.
    """

    root: Path
    project_id: int

    @property
    def path(self) -> Path:
        """Of all that is the project's."""
        return self.root / f"project-{self.project_id}"

    def put(self, record_ids: Sequence[int]) -> str:
        """The key of these records: the same for the same ones, in whatever order."""
        ids = np.unique(np.array(record_ids, dtype=np.int64))
        key = hashlib.sha256(ids.tobytes()).hexdigest()[:KEY_DIGITS]
        self.path.mkdir(parents=True, exist_ok=True)
        beside = self.path / f".{key}"
        ids.tofile(beside)
        beside.replace(self._file(key))
        self._forget()
        return key

    def record_ids(self, key: str) -> NDArray[np.int64]:
        """(m,) the records with that key, ascending.

        Raises:
            NotFound: they are not kept, or not any more.
        """
        try:
            return np.fromfile(self._file(key), dtype=np.int64)
        except FileNotFoundError:
            raise NotFound(
                Message("This selection of records is not kept any more."),
                field="selection",
                value=key,
                remedy=Message("Choose the records on the map again."),
            ) from None

    def _file(self, key: str) -> Path:
        return self.path / f"{key}.i64"

    def _forget(self) -> None:
        files = sorted(self.path.glob("*.i64"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-KEPT]:
            file.unlink(missing_ok=True)
