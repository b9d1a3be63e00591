"""Folders that were deleted for good, whole or not at all."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

DOOMED = ".purged"


@dataclass(frozen=True)
class Purged:
    """One folder that was deleted, or would be."""

    path: str
    bytes: int
    what: str


def bytes_below(folder: Path) -> int:
    """Bytes of the files in it."""
    return sum(
        (Path(place) / name).lstat().st_size
        for place, _, names in os.walk(folder)
        for name in names
    )


def delete_folder(folder: Path) -> None:
    """The folder is gone; cut short, it lies under a name that nobody reads."""
    doomed = folder.with_name(folder.name + DOOMED)
    shutil.rmtree(doomed, ignore_errors=True)
    folder.rename(doomed)
    shutil.rmtree(doomed)


def remove_leftovers(parent: Path) -> None:
    """Folders in it whose deletion was cut short are gone."""
    for place in parent.glob(f"*{DOOMED}"):
        shutil.rmtree(place, ignore_errors=True)
