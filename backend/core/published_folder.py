"""Folders of which one is read: made by a worker, read by every process.

``current`` names the folder that is read. An earlier one is deleted when its successor is there:
who has read it keeps what it read.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

CURRENT = "current"


@dataclass(frozen=True)
class PublishedFolder:
    """A place whose folders succeed each other.

    Args:
        path: of the place.
    """

    path: Path

    def name_of_current(self) -> str | None:
        """Changes whenever another folder is read; None before there is one."""
        try:
            return (self.path / CURRENT).read_text("ascii")
        except FileNotFoundError:
            return None

    def publish(self, folder: Path, *, kept: tuple[Path, ...] = ()) -> None:
        """That folder is read from now on; the others, but for those ``kept``, are deleted."""
        beside = self.path / f".{CURRENT}"
        beside.write_text(folder.name, "ascii")
        beside.replace(self.path / CURRENT)
        for other in self.path.iterdir():
            if other.is_dir() and other not in (folder, *kept):
                shutil.rmtree(other, ignore_errors=True)
