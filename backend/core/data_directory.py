"""The data directory: there, and ours to write to."""

import os
from pathlib import Path

from backend.core.exceptions import ConfigurationError
from backend.words import Message


def ensure_data_directory(path: Path) -> None:
    """The directory exists and can be written to.

    Raises:
        ConfigurationError: it cannot be made, or this user may not write there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError("no permission to write there")
    except OSError as error:
        raise ConfigurationError(
            Message(
                "The data directory {folder} cannot be used: {error}.",
                folder=path.absolute(),
                error=error.strerror or str(error),
            ),
            field="data_dir",
            value=str(path),
            remedy=Message(
                "Make it writable for this user, or set ASSAY_DATA_DIR to a folder that is."
            ),
        ) from error
