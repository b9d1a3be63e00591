"""An import in a process of its own, which kills itself after some chunks."""

import os
import signal
import sys
from pathlib import Path

from backend.core.clock import utc_now
from backend.core.database import Database
from backend.ingestion import service
from backend.ingestion.schemas import ImportRequest


def main(url: str, path: str, kill_after_chunks: int, inside_transaction: bool) -> None:
    """Import ``path`` in chunks of 500; SIGKILL after (or in) the chunk of that number."""
    service.ROWS_PER_CHUNK = 500
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += 1
        if done == kill_after_chunks:
            os.kill(os.getpid(), signal.SIGKILL)

    if inside_transaction:
        save = service._RecordImport._save

        def save_and_count(*args: object) -> None:
            save(*args)  # type: ignore[arg-type]
            count()

        service._RecordImport._save = save_and_count  # type: ignore[assignment, method-assign]
    request = ImportRequest(dataset="shop", path=Path(path), id_column="sku")
    progress = (lambda *_: None) if inside_transaction else count
    service.import_source(Database(url), request, utc_now, progress=progress)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "inside")
