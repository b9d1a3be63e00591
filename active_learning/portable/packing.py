"""Writes a portable model: as a folder, whole or not at all, or as a zip piece by piece."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from errno import EDQUOT, ENOSPC
from io import RawIOBase
from pathlib import Path
from typing import Any

from active_learning.exceptions import ArtifactExists, DiskFull
from active_learning.portable.folder import PackedFile, PortableConfig, with_config
from active_learning.types import Reason

EARLIEST = 1980
"""The first year that a zip can tell."""


def write_folder(folder: Path, config: PortableConfig, files: Sequence[PackedFile]) -> None:
    """The folder holds the model.

    Raises:
        ArtifactExists: something is there already.
        DiskFull: no space left; nothing of it remains.
    """
    _check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for place, pieces in with_config(config, files):
            path = beside / place
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(pieces)
        beside.chmod(0o755)
        beside.rename(folder)
    except OSError as error:
        raise _disk_full(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_zip(path: Path, config: PortableConfig, files: Sequence[PackedFile]) -> None:
    """The file is a zip of the model.

    Raises:
        ArtifactExists: something is there already.
        DiskFull: no space left; nothing of it remains.
    """
    _check_free(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.writelines(zip_pieces(path.stem, config, files))
        beside.rename(path)
    except OSError as error:
        raise _disk_full(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


def zip_pieces(name: str, config: PortableConfig, files: Sequence[PackedFile]) -> Iterator[bytes]:
    """A zip whose one folder ``name`` holds the model; the same bytes for the same model."""
    outlet = _Outlet()
    made = datetime.fromisoformat(config.made_at)
    stamp = (max(made.year, EARLIEST), made.month, made.day, made.hour, made.minute, made.second)
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, pieces in with_config(config, files):
            entry = zipfile.ZipInfo(f"{name}/{place}", stamp)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    yield outlet.take()
    yield outlet.take()


class _Outlet(RawIOBase):
    """Takes what is written and hands it on; nobody can seek in it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _check_free(path: Path) -> None:
    if path.exists():
        raise ArtifactExists(Reason("{path} exists; name another place.", path=path))


def _disk_full(path: Path, error: OSError) -> Exception:
    if error.errno not in (ENOSPC, EDQUOT):
        return error
    return DiskFull(
        Reason(
            "The disk is full while writing {path}: free space and repeat; nothing half-written "
            "was left.",
            path=path,
        )
    )
