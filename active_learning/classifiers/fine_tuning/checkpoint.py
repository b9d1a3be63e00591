"""Checkpoints of a fine-tuning: all that the next epoch depends on, whole or not there."""

import json
import os
import shutil
from collections.abc import Mapping
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any

import torch

from active_learning.exceptions import DiskFull

STATE, FACTS = "state.pt", "facts.json"


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
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            fresh.mkdir(parents=True)
            with (fresh / STATE).open("wb") as file:
                torch.save(dict(state), file)
                file.flush()
                os.fsync(file.fileno())
            with (fresh / FACTS).open("w", encoding="utf-8") as text:
                json.dump({**facts, "fingerprint": self._fingerprint}, text)
                text.flush()
                os.fsync(text.fileno())
        except OSError as error:
            shutil.rmtree(fresh, ignore_errors=True)
            if error.errno in {ENOSPC, EDQUOT}:
                raise DiskFull(f"No space for a checkpoint in {self._directory}.") from error
            raise
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
            except (OSError, ValueError, RuntimeError, EOFError):
                continue
        return None

    def clear(self) -> None:
        """Nothing of it is left."""
        for suffix in ("", ".new", ".old"):
            place = self._directory.with_name(f"{self._directory.name}{suffix}")
            shutil.rmtree(place, ignore_errors=True)
