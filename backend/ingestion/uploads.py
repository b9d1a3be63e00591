"""Files that came over HTTP, kept in the data directory until and after their import."""

import errno
import os
import re
import shutil
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from backend.core.exceptions import StorageFull

MAX_NAME = 100


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
