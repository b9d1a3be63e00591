"""Files that came over HTTP, kept in the data directory until and after their import."""

import errno
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from backend.core.exceptions import StorageFull
from backend.core.purged import Purged, bytes_below, delete_folder, remove_leftovers
from backend.core.services import Services
from backend.ingestion import repository

MAX_NAME = 100
UPLOADS = "uploads"
"""Below the data directory."""
UPLOAD_DAYS = 7
"""Days that an upload stays after its import has ended well; less than jobs are remembered."""


def store_upload(folder: Path, name: str, content: BinaryIO) -> Path:
    """The content is a whole file in a new folder below ``folder``; its path.

    Raises:
        StorageFull: no space is left.
    """
    target = folder.absolute() / uuid4().hex
    path = target / safe_name(name)
    try:
        target.mkdir(parents=True)
        with path.open("wb") as file:
            shutil.copyfileobj(content, file, 1024 * 1024)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"There is no space left in {folder}.", remedy="Free some space; send it again."
            ) from error
        raise
    return path


def safe_name(name: str) -> str:
    """The name without folders and odd characters, its suffixes kept."""
    plain = re.sub(r"[^\w.\-]+", "_", re.split(r"[/\\]", name)[-1]).lstrip(".")
    return plain[-MAX_NAME:] or "upload"


def purge_uploads(services: Services, *, days: int, is_dry: bool) -> list[Purged]:
    """The uploads that are deleted, or would be: imported in full at least ``days`` ago.

    One whose import failed, was cancelled, or is not known any more stays.
    """
    home = (services.settings.data_dir / UPLOADS).absolute()
    before = services.clock() - timedelta(days=days)
    with services.database.reading() as session:
        paths = repository.imported_files(session, before)
    if not is_dry:
        remove_leftovers(home)
    found: list[Purged] = []
    for path in sorted(paths):
        folder = Path(path).parent
        if folder.parent != home or not folder.is_dir():
            continue
        found.append(Purged(str(folder), bytes_below(folder), f"upload {Path(path).name}"))
        if not is_dry:
            delete_folder(folder)
    return found
