"""Columns of a dataset's current records are made, from the former ones and what has changed."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np

from backend.core.parts import parts
from backend.core.services import Services
from backend.record_index import repository
from backend.record_index.column_writing import ColumnWriter
from backend.record_index.columns import CREATED, IDS, IMPORTS, ColumnsList
from backend.record_index.value_spool import (
    CREATED_AT,
    EXTERNAL_ID,
    ID,
    IMPORT_ID,
    KIND,
    SpoolWriter,
    ValueSpool,
    column_of_field,
)
from backend.record_index.versions import Versions
from backend.records.field_removal import Watch
from backend.words import Message

RECORDS_PER_PAGE = 5_000
"""Records in memory at a time. Chosen."""
READING = 0.8
"""Share of reading in all of it. Measured on a million records of ten fields."""


class ColumnsBuilding:
    """The columns of one dataset on their way.

    Args:
        services: whose data directory and store.
        dataset_id: whose records.
        watch: who runs it.
    """

    def __init__(self, services: Services, dataset_id: int, watch: Watch) -> None:
        self._database, self._dataset_id, self._watch = services.database, dataset_id, watch
        self._parent = folder_of_dataset(services, dataset_id)

    def is_made(self, name: str | None, fields: Sequence[str], numbers: Sequence[str]) -> bool:
        """Whether that folder is there and has these fields, as they are known now."""
        if name is None:
            return False
        try:
            held = ColumnsList.read(self._parent / name)
        except FileNotFoundError:
            return False
        return (held.fields, held.numbers) == (list(fields), sorted(numbers))

    def run(
        self, generation: int, fields: Sequence[str], numbers: Sequence[str], former: str | None
    ) -> str:
        """Name of the new folder.

        Args:
            generation: of the dataset, read before its records are.
            fields: of the dataset.
            numbers: those of them that are known as numbers.
            former: folder that the values of unchanged records are taken from, if it is there.
        """
        name = uuid4().hex[:16]
        folder = self._parent / name
        folder.mkdir(parents=True)
        try:
            self._write_spool(folder, fields, former)
            self._write_columns(folder, fields, numbers)
            ColumnsList(generation, list(fields), sorted(numbers), self._written).write(folder)
            _flush(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return name

    def forget(self, kept: Sequence[str | None]) -> None:
        """Folders of the dataset that are not among these are gone."""
        for folder in self._parent.glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _write_spool(self, folder: Path, fields: Sequence[str], former: str | None) -> None:
        with self._database.reading() as session:
            current = repository.current_versions(session, self._dataset_id)
        spool, there = self._former(fields, former)
        wanted = current.ids[~current.are_in(there)].tolist()
        writer = SpoolWriter(folder, fields)
        try:
            if spool is not None:
                writer.copy(spool, current)
            done = 0
            for page in parts(wanted, RECORDS_PER_PAGE):
                self._watch.check_cancelled()
                with self._database.reading() as session:
                    writer.add(repository.rows_by_id(session, page))
                done += len(page)
                told = Message.ngettext(
                    "{done:,} of {n:,} record read",
                    "{done:,} of {n:,} records read",
                    n=len(wanted),
                    done=done,
                )
                self._watch.progress(READING * done / len(wanted), told)
        finally:
            writer.close()

    def _former(
        self, fields: Sequence[str], former: str | None
    ) -> tuple[ValueSpool | None, Versions]:
        """The former spool and its records; none where it lacks a field that records may have."""
        nothing = Versions.of_parts([], [])
        if former is None:
            return None, nothing
        folder = self._parent / former
        try:
            held = ColumnsList.read(folder)
            if not set(fields) <= set(held.fields):
                return None, nothing
            spool = ValueSpool(folder)
            return spool, spool.versions()
        except FileNotFoundError:
            return None, nothing

    def _write_columns(self, folder: Path, fields: Sequence[str], numbers: Sequence[str]) -> None:
        spool = ValueSpool(folder)
        ids = spool.numbers(ID)
        by_id = np.argsort(ids)
        for file, values in (
            (IDS, ids),
            (IMPORTS, spool.numbers(IMPORT_ID)),
            (CREATED, spool.numbers(CREATED_AT)),
        ):
            values[by_id].astype("<i8").tofile(folder / file)
        writer = ColumnWriter(folder, by_id)
        names = [KIND, EXTERNAL_ID, *map(column_of_field, fields)]
        known = set(map(column_of_field, numbers))
        for done, name in enumerate(names):
            self._watch.check_cancelled()
            writer.add(
                name,
                spool.texts(name),
                is_number=name in known,
                is_text=name in (KIND, EXTERNAL_ID),
            )
            told = Message.ngettext(
                "{done} of {n} column made",
                "{done} of {n} columns made",
                n=len(names),
                done=done + 1,
            )
            self._watch.progress(READING + (1 - READING) * (done + 1) / len(names), told)
        self._written = writer.written


def folder_of_dataset(services: Services, dataset_id: int) -> Path:
    """Where the folders of its columns lie."""
    return services.settings.record_index_dir / f"dataset-{dataset_id}"


def _flush(folder: Path) -> None:
    """Its files are on disk, before the store names it."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
