"""``assay datasets``: list, create, export and delete datasets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.bootstrap import open_services
from backend.cli.confirmation import ConfirmOption, ask_for_name
from backend.cli.language import ngettext, t
from backend.core.exceptions import InvalidInput
from backend.words import Message

datasets_app = typer.Typer(help="Datasets and their records.", no_args_is_help=True)

ACTOR = "cli"
EXPORT_SUFFIXES = ("csv", "jsonl", "parquet")


@datasets_app.command("list")
def list_datasets() -> None:
    """List the datasets."""
    from backend.records.service import RecordsService

    services = open_services()
    table = Table(t("id"), t("name"), t("kind"), t("records"), t("fields"))
    with services.database.reading() as session:
        for dataset in RecordsService(session, services.clock).list_datasets():
            numbers = str(dataset.id), f"{dataset.records:,}"
            cells = (numbers[0], dataset.name, dataset.kind, numbers[1], ", ".join(dataset.fields))
            table.add_row(*map(Text, cells))  # as they are: a name may look like markup
    if not table.row_count:
        Console().print(t("No datasets yet. Import one: assay import FILE --dataset NAME"))
        return
    Console().print(table)


@datasets_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="up to 200 characters")],
    kind: Annotated[str, typer.Option(help="default kind of its records")] = "record",
    field: Annotated[
        list[str] | None, typer.Option(help="field name; repeat it, in display order")
    ] = None,
) -> None:
    """Create an empty dataset; `assay import` creates its dataset by itself."""
    from backend.records.schemas import DatasetCreate
    from backend.records.service import RecordsService

    services = open_services()
    try:
        request = DatasetCreate(name=name, kind=kind, fields=field or [])
    except ValidationError as error:
        raise invalid(error) from error
    with services.database.transaction() as session:
        dataset = RecordsService(session, services.clock).create_dataset(request, actor=ACTOR)
    Console().print(
        t("Dataset {number} '{dataset}' created.", number=dataset.id, dataset=dataset.name),
        markup=False,
    )


@datasets_app.command("export")
def export(
    dataset: Annotated[str, typer.Argument(help="name or id")],
    file: Annotated[Path, typer.Argument(help="ends in .csv, .jsonl or .parquet")],
    history: Annotated[bool, typer.Option(help="earlier versions too")] = False,
) -> None:
    """Write a dataset's records to a file, which is replaced only when it is whole."""
    from backend.records.export import export as exported
    from backend.records.service import RecordsService

    suffix = file.suffix.lower().lstrip(".")
    if suffix not in EXPORT_SUFFIXES:
        raise InvalidInput(
            Message("{file} does not end in .csv, .jsonl or .parquet.", file=file),
            field="file",
            value=str(file),
            remedy=Message("Choose one of these suffixes."),
        )
    services = open_services()
    with services.database.reading() as session:
        service = RecordsService(session, services.clock)
        found = service.find_dataset(dataset)
        count = service.count(found)
        records = service.stream(found.id, with_history=history)
        with file_to_replace(file) as out:
            for piece in exported(records, list(found.fields), suffix):  # type: ignore[arg-type]
                out.write(piece)
    Console().print(
        ngettext(
            "{n:,} record written to {file}.", "{n:,} records written to {file}.", count, file=file
        ),
        markup=False,
    )


@datasets_app.command("delete")
def delete(
    dataset: Annotated[str, typer.Argument(help="name or id")], confirm: ConfirmOption = None
) -> None:
    """Delete a dataset that no project labels, with its records."""
    from backend.records.service import RecordsService
    from backend.removal.service import Removals

    services = open_services()
    with services.database.reading() as session:
        found = RecordsService(session, services.clock).find_dataset(dataset)
        lost = Removals(session, services).of_dataset(found)
    name = ask_for_name(found.name, lost, confirm)
    with services.database.transaction() as session:
        Removals(session, services).delete_dataset(found.id, confirmed=name, actor=ACTOR)
    Console().print(t("Dataset '{dataset}' is deleted.", dataset=found.name), markup=False)


@datasets_app.command("remove-field")
def remove_field(
    dataset: Annotated[str, typer.Argument(help="name or id")],
    field: Annotated[str, typer.Argument(help="a field that no project shows")],
    confirm: ConfirmOption = None,
) -> None:
    """Remove a field from a dataset; earlier versions of its records keep their values."""
    from backend.records.service import RecordsService
    from backend.removal.service import Removals

    services = open_services()
    with services.database.reading() as session:
        found = RecordsService(session, services.clock).find_dataset(dataset)
        lost = Removals(session, services).of_field(found, field)
    name = ask_for_name(field, lost, confirm)
    with services.database.transaction() as session:
        Removals(session, services).remove_field(found.id, field, confirmed=name, actor=ACTOR)
    Console().print(
        t("Field '{field}' is removed; the worker takes it out of the records.", field=field),
        markup=False,
    )


@contextmanager
def file_to_replace(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends, and is gone if it raises.

    Raises:
        InvalidInput: it cannot be written there.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as out:
            yield out
        unfinished.replace(path)
    except OSError as error:
        raise InvalidInput(
            Message(
                "{path} cannot be written: {strerror}.", path=path, strerror=error.strerror or error
            ),
            field="file",
            value=str(path),
            remedy=Message("Check the folder, its permissions and the space left."),
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def invalid(error: ValidationError) -> InvalidInput:
    """The first thing that is wrong with a request, in one line."""
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    return InvalidInput(
        Message(
            "{field} {input!r} is not usable: {msg}.",
            field=field,
            input=first["input"],
            msg=first["msg"],
        ),
        field=field,
        value=first["input"],
        remedy=Message("See --help."),
    )
