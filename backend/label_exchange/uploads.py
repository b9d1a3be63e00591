"""Exports of other Label Studio projects that came over HTTP: kept, and their import queued."""

from pathlib import Path
from typing import BinaryIO, Protocol

from sqlmodel import Session

from backend.core.services import Services
from backend.ingestion.uploads import store_upload
from backend.jobs import queue
from backend.label_exchange.destination import read_mapping
from backend.label_exchange.schemas import IMPORT_LABELS
from backend.models import Project


class Upload(Protocol):
    """A file that came with a form."""

    filename: str | None
    file: BinaryIO


def queue_import(
    session: Session,
    services: Services,
    actor: str,
    project: Project,
    file: Upload,
    mapping: Upload | None,
) -> str:
    """The upload is stored and its import is queued; the job's id.

    Raises:
        InvalidInput: the mapping cannot be used.
    """
    folder = services.settings.data_dir / "uploads"
    path = store_upload(folder, file.filename or "labels.json", file.file)
    mapping_path: Path | None = None
    if mapping is not None and mapping.filename:
        mapping_path = store_upload(folder, mapping.filename, mapping.file)
        read_mapping(mapping_path)
    args = {
        "path": str(path),
        "mapping": str(mapping_path) if mapping_path else None,
        "actor": actor,
    }
    return queue.enqueue(
        session, IMPORT_LABELS, project_id=project.id, args=args, now=services.clock()
    )
