"""Exports as files: written aside, named when they are whole, with a manifest."""

import errno
import hashlib
import os
import shutil
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from backend.core.exceptions import InvalidInput, StorageFull
from backend.core.services import Services
from backend.label_exchange.dataset_folder import write_dataset_folder
from backend.label_exchange.formats import file_pieces, layout_of
from backend.label_exchange.schemas import (
    SUFFIXES,
    AnnotationRow,
    ExportedFile,
    ExportRequest,
    LabelRow,
    Manifest,
)
from backend.label_exchange.service import Exports, assay_version
from backend.models import Project
from backend.projects.service import label_schema_of
from backend.words import Message

MANIFEST = "manifest.json"
BYTES_PER_PIECE = 1024 * 1024
"""Chosen: bounds memory while a file is sent."""
LEFTOVER_SECONDS = 24 * 3600
"""Chosen: no writer of an export works for a day."""


class Tally:
    """Counts the rows that pass."""

    def __init__(self) -> None:
        self.rows = 0
        self.changed = 0
        self.counts: Counter[str] = Counter()
        self.grades: Counter[str] = Counter()

    def count(self, rows: Iterable[LabelRow | AnnotationRow]) -> Iterator[LabelRow | AnnotationRow]:
        """The same rows."""
        for row in rows:
            self.rows += 1
            self.changed += row.content_hash != row.current_content_hash
            self.counts[_origin(row)] += 1
            self.grades[row.grade or ""] += 1
            yield row


def _origin(row: LabelRow | AnnotationRow) -> str:
    if isinstance(row, LabelRow):
        return row.label_from
    return "skipped" if row.was_cancelled else "answered"


def write_export(
    services: Services, project: Project, request: ExportRequest, path: Path
) -> Manifest:
    """The export is at ``path``: a file, or a folder for Hugging Face; never half of one.

    The manifest is ``manifest.json`` in the folder, or ``NAME.manifest.json`` beside the file,
    written after it.

    Raises:
        InvalidInput: nothing can be written there, or a folder that is no export is there.
        StorageFull: no space is left.
    """
    if request.format == "huggingface":
        _check_folder(path)
        with _aside(path) as folder:
            manifest = write_folder(services, project, request, folder)
            _replace_folder(folder, path)
        return manifest
    with _aside(path) as folder:
        manifest = write_folder(services, project, request, folder, name=path.name)
        (folder / path.name).replace(path)
        (folder / MANIFEST).replace(path.with_name(f"{path.name}.{MANIFEST}"))
    return manifest


def write_folder(
    services: Services,
    project: Project,
    request: ExportRequest,
    folder: Path,
    *,
    name: str | None = None,
) -> Manifest:
    """The export's files and their manifest are in the folder, which is new or empty."""
    schema, tally = label_schema_of(project), Tally()
    folder.mkdir(parents=True, exist_ok=True)
    with services.database.reading() as session:
        exports = Exports.at_one_moment(session, services.clock, project)
        exports.check(request)
        dataset = exports.dataset
        fields = list(dataset.fields)
        rows = tally.count(exports.rows(request))
        if request.format == "huggingface":
            title = f"{project.name} ({request.what})"
            layout = layout_of(request, fields)
            files = write_dataset_folder(
                rows, folder, layout, schema.grades, title=title, request=request
            )
        else:
            files = [folder / (name or f"{request.what}.{SUFFIXES[request.format]}")]
            with files[0].open("wb") as out:
                out.writelines(file_pieces(rows, request, fields, schema))
    manifest = Manifest(
        project=project.name,
        dataset=dataset.name,
        request=request,
        rows=tally.rows,
        counts=dict(sorted(tally.counts.items())),
        grades=dict(sorted(tally.grades.items())),
        changed_records=tally.changed,
        exported_at=services.clock(),
        assay_version=assay_version(),
        files=[_describe(file, folder) for file in files],
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for file in [*files, folder / MANIFEST]:
        _sync(file)
    return manifest


def zip_export(services: Services, project: Project, request: ExportRequest) -> Path:
    """A new zip of the export's files and manifest, which the caller removes with its folder.

    Raises:
        StorageFull: no space is left.
    """
    home = services.settings.data_dir.absolute() / "exports"
    _remove_leftovers(home)
    work = home / uuid4().hex
    try:
        with _storage_errors(work):
            manifest = write_folder(services, project, request, work / "files")
            path = work / "export.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for name in [*(file.name for file in manifest.files), MANIFEST]:
                    archive.write(work / "files" / name, name)
            shutil.rmtree(work / "files")
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return path


def _remove_leftovers(home: Path) -> None:
    """Folders that a kill left behind are gone."""
    before = time.time() - LEFTOVER_SECONDS
    for folder in home.glob("*"):
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def _describe(file: Path, folder: Path) -> ExportedFile:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(BYTES_PER_PIECE):
            digest.update(piece)
    return ExportedFile(
        name=file.relative_to(folder).as_posix(),
        bytes=file.stat().st_size,
        sha256=digest.hexdigest(),
    )


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A folder beside ``path``, gone when the block ends."""
    folder = path.absolute().with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        with _storage_errors(path):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                Message("There is no space left at {path}.", path=path),
                remedy=Message("Free some space and export again."),
            ) from error
        raise InvalidInput(
            Message(
                "{path} cannot be written: {strerror}.", path=path, strerror=error.strerror or error
            ),
            field="out",
            value=str(path),
            remedy=Message("Check the folder and its permissions."),
        ) from error


def _check_folder(path: Path) -> None:
    is_ours = path.is_dir() and (not any(path.iterdir()) or (path / MANIFEST).is_file())
    if path.exists() and not is_ours:
        raise InvalidInput(
            Message("{path} is there already and is no export of ours.", path=path),
            field="out",
            value=str(path),
            remedy=Message("Choose a new folder."),
        )


def _replace_folder(folder: Path, path: Path) -> None:
    """``folder`` is at ``path``; an earlier export there is gone."""
    if not path.exists():
        folder.replace(path)
        return
    old = folder.with_name(f"{folder.name}.old")
    path.replace(old)
    folder.replace(path)
    shutil.rmtree(old, ignore_errors=True)
