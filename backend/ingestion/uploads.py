"""Files that came over HTTP, kept in the data directory until some time after their import."""

import errno
import math
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from backend.core.exceptions import StorageFull, UnreadableSource
from backend.core.purged import DOOMED, Purged, bytes_below, delete_folder, remove_leftovers
from backend.core.services import Services
from backend.ingestion import repository
from backend.ingestion.readers import open_request
from backend.ingestion.schemas import ImportRequest
from backend.words import Message

MAX_NAME = 100
"""Last bytes of an uploaded file's name that are kept, with its suffixes. Chosen: with what is put
before them they stay below the 255 bytes that file systems allow."""
UPLOADS = "uploads"
"""Below the data directory."""
REQUEST_TIME = timedelta(hours=1)
"""In that time the request that brings a file has ended, so that a job names the file."""


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
                Message("There is no space left in {folder}.", folder=folder),
                remedy=Message("Free some space; send it again."),
            ) from error
        raise
    return path


def check_upload(request: ImportRequest) -> None:
    """The request's file can be read so far as its columns; else it is deleted.

    Raises:
        UnreadableSource: it is not what it claims to be; names what and where.
    """
    try:
        with open_request(request):
            pass
    except UnreadableSource:
        if request.path is not None:
            shutil.rmtree(request.path.parent, ignore_errors=True)
        raise


def safe_name(name: str) -> str:
    """The name without folders and odd characters, its suffixes kept."""
    plain = re.sub(r"[^\w.\-]+", "_", re.split(r"[/\\]", name)[-1]).lstrip(".")
    return plain.encode()[-MAX_NAME:].decode(errors="ignore") or "upload"


def purge_uploads(services: Services, *, days: int, is_dry: bool) -> list[Purged]:
    """The uploads that are deleted, or would be: what was to be done with them ended ``days`` ago.

    However it ended: a file that is wanted again is sent again. One that no job names was left
    by a request that was cut short, or its job is forgotten: it goes ``days`` after it came.
    """
    home = (services.settings.data_dir / UPLOADS).absolute()
    now = services.clock()
    before = now - timedelta(days=days)
    if not is_dry:
        remove_leftovers(home)
    came_before = min(before, now - REQUEST_TIME).timestamp()
    folders = [place for place in sorted(home.glob("*")) if _came(place) < came_before]
    with services.database.reading() as session:  # after the listing: its job is committed later
        wanted = {Path(text).parent for text in repository.uploads_wanted(session, before)}
    found: list[Purged] = []
    for folder in folders:
        if folder in wanted or not folder.is_dir() or folder.name.endswith(DOOMED):
            continue
        names = ", ".join(sorted(file.name for file in folder.iterdir())) or "cut short"
        found.append(Purged(str(folder), bytes_below(folder), f"upload {names}"))
        if not is_dry:
            delete_folder(folder)
    return found


def _came(folder: Path) -> float:
    """When its file was written, in seconds of the epoch; now if somebody is deleting it."""
    try:
        return max(place.stat().st_mtime for place in (folder, *folder.iterdir()))
    except OSError:
        return math.inf
