"""Checkpoints of a fine-tuning: all that the next epoch depends on, whole or not there."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from active_learning.exceptions import DiskFull
from active_learning.types import Reason

STATE, FACTS = "state.pt", "facts.json"
LEAST_FREE = 1 << 20
"""Bytes; with fewer left, a failed write failed for want of them."""


class Checkpoint:
    """One directory that holds the newest finished epoch of one fine-tuning.

    Args:
        directory: made when it is first written.
        fingerprint: of data and options; a checkpoint of another one is ignored.
    """

    def __init__(self, directory: Path, fingerprint: str) -> None:
        self._directory = directory
        self._fingerprint = fingerprint

    def write(self, facts: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """The checkpoint is on disk in place of the former.

        Raises:
            DiskFull: no space left; the former checkpoint is still there.
        """
        fresh = self._directory.with_name(f"{self._directory.name}.new")
        with whole_folder(fresh):
            with (fresh / STATE).open("wb") as file:
                torch.save(dict(state), file)
                file.flush()
                os.fsync(file.fileno())
            write_json(fresh / FACTS, {**facts, "fingerprint": self._fingerprint})
        former = self._directory.with_name(f"{self._directory.name}.old")
        shutil.rmtree(former, ignore_errors=True)
        if self._directory.exists():
            self._directory.rename(former)
        fresh.rename(self._directory)
        shutil.rmtree(former, ignore_errors=True)

    def read(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """(facts, state) of the newest checkpoint of this very fine-tuning; None without one."""
        for place in (self._directory, self._directory.with_name(f"{self._directory.name}.old")):
            try:
                facts = json.loads((place / FACTS).read_text(encoding="utf-8"))
                if facts.get("fingerprint") != self._fingerprint:
                    continue
                # Our own file, still read without executing anything it may hold.
                return facts, torch.load(place / STATE, map_location="cpu", weights_only=True)
            except (OSError, ValueError, RuntimeError, EOFError, UnpicklingError):
                continue
        return None

    def clear(self) -> None:
        """Nothing of it is left."""
        for suffix in ("", ".new", ".old"):
            place = self._directory.with_name(f"{self._directory.name}{suffix}")
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[None]:
    """The block writes into an empty folder; if it fails, nothing of the folder is left.

    Raises:
        DiskFull: it failed for want of space.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        yield
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if is_disk_full(error, folder.parent):
            raise DiskFull(
                Reason("There is no space for {folder}; free some and start again.", folder=folder)
            ) from error
        raise


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """The file holds the content and is synced."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether a write failed for want of space; torch and safetensors hide the number."""
    if isinstance(error, OSError) and error.errno in {ENOSPC, EDQUOT}:
        return True
    if not isinstance(error, Exception):
        return False
    return "No space left" in str(error) or shutil.disk_usage(folder).free < LEAST_FREE
