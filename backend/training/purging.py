"""Old fine-tuned encoders that no rollback needs any more are deleted.

A model version's heads are small and stay for ever; a fine-tuned encoder is hundreds of megabytes.
Kept are the encoders of every version that ever was champion and of the newest versions. Another
version whose encoder went is marked, so that a rollback to it is refused with the reason.
"""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from active_learning.artifacts import MANIFEST
from active_learning.encoders.embedding_cache import folder_of
from backend.audit.service import AuditTrail
from backend.core.purged import Purged, bytes_below, delete_folder, remove_leftovers
from backend.core.services import Services
from backend.features.pool_files import purge_pools
from backend.ingestion.uploads import purge_uploads
from backend.jobs.context import JobContext
from backend.models import ModelVersion, Project
from backend.projects.service import ProjectsService
from backend.registry.service import ENCODER_PURGED, RegistryService
from backend.words import Message

PURGE = "training.purge_files"
KEPT_VERSIONS = 10
"""Newest model versions of a project that keep their encoder, whatever became of them. Chosen:
nobody rolls back farther."""
UNREFERRED_FOR = timedelta(days=1)
"""From its artifact to its row a training takes seconds; a day is far from that."""


def purge_files(services: Services, context: JobContext) -> dict[str, Any]:
    """What nothing needs is gone: encoders, artifacts, uploads; which, and their bytes."""
    gone = [
        *purge_encoders(services, keep=KEPT_VERSIONS, is_dry=False),
        *purge_artifacts(services),
        *purge_pools(services.settings.pools_dir, is_dry=False),
        *purge_uploads(services, days=services.settings.uploads_retention_days, is_dry=False),
    ]
    context.progress(
        1.0,
        Message.ngettext(
            "{n} folder, {bytes:,} bytes",
            "{n} folders, {bytes:,} bytes",
            n=len(gone),
            bytes=sum(one.bytes for one in gone),
        ),
    )
    return {"deleted": [asdict(one) for one in gone], "bytes": sum(one.bytes for one in gone)}


def purge_artifacts(services: Services) -> list[Purged]:
    """Artifacts that no model version refers to are deleted: of trainings killed or overtaken.

    Young ones are left: their row may be about to be written.
    """
    folders = services.settings.models_dir.glob("project-*/*")
    latest = (services.clock() - UNREFERRED_FOR).timestamp()
    old = {
        place.relative_to(services.settings.models_dir).as_posix(): place
        for place in folders
        if (place / MANIFEST).is_file() and place.stat().st_mtime < latest
    }
    with services.database.reading() as session:
        registry = RegistryService(session, services.clock)
        for project in ProjectsService(session, services.clock).list():
            for version in registry.list_versions(project.id):
                old.pop(version.artifact, None)
    found = [
        Purged(str(place), bytes_below(place), "artifact of no model version")
        for place in old.values()
    ]
    for place in old.values():
        delete_folder(place)
    return found


def purge_encoders(services: Services, *, keep: int, is_dry: bool) -> list[Purged]:
    """The encoders (and their cached embeddings) that are deleted, or would be if ``is_dry``.

    A repeat deletes what became superfluous meanwhile, and what a killed one had left.
    """
    root = services.settings.models_dir
    with services.database.reading() as session:
        projects = list(ProjectsService(session, services.clock).list())
    found: list[Purged] = []
    for parent in () if is_dry else (services.settings.embeddings_dir, *root.glob("project-*")):
        remove_leftovers(parent)
    for project in projects:
        with services.database.reading() as session:
            planned = _plan(services, session, project, keep)
        if planned and not is_dry:
            _mark(services, project, {folder for folder, _ in planned})
            with services.database.reading() as session:  # a rollback may have come before
                planned = _plan(services, session, project, keep)
        for folder, caches in planned:
            for place in (root / folder, *caches):
                if place.is_dir():
                    what = f"project {project.name}, encoder of no champion"
                    found.append(Purged(str(place), bytes_below(place), what))
                    if not is_dry:
                        delete_folder(place)
    return found


def _plan(
    services: Services, session: Session, project: Project, keep: int
) -> list[tuple[str, list[Path]]]:
    """Folders below the models directory that may go, with the embeddings that go with them."""
    registry = RegistryService(session, services.clock)
    versions = list(registry.list_versions(project.id))
    champions = {row.model_version_id for row in registry.list_promotions(project.id)}
    newest = {version.id for version in versions[-keep:]} if keep else set()
    kept = [version for version in versions if version.id in champions | newest]
    needed = {version.encoder_folder for version in kept}
    revisions = {version.encoder for version in kept}
    planned: dict[str, list[Path]] = {}
    for version in versions:
        folder = version.encoder_folder
        if folder is None or folder in needed:
            continue
        places = planned.setdefault(folder, [])
        cache = folder_of(services.settings.embeddings_dir, version.encoder)
        if version.encoder not in revisions and cache not in places:
            places.append(cache)
    root = services.settings.models_dir
    return [
        (folder, caches)
        for folder, caches in planned.items()
        if any(place.is_dir() for place in (root / folder, *caches))
    ]


def _mark(services: Services, project: Project, folders: set[str]) -> None:
    with services.database.transaction() as session:
        numbers = []
        for version in RegistryService(session, services.clock).list_versions(project.id):
            if version.encoder_folder in folders and ENCODER_PURGED not in version.metrics:
                _note(session, version, services.clock().isoformat())
                numbers.append(version.number)
        if numbers:
            AuditTrail(session, services.clock).append(
                "housekeeping", "model.encoder_purged", f"project:{project.id}", {"of": numbers}
            )


def _note(session: Session, version: ModelVersion, when: str) -> None:
    version.metrics = {**version.metrics, ENCODER_PURGED: when}
    session.add(version)
