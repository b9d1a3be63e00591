"""``assay datasets``: list, create and export datasets."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.bootstrap import open_services
from backend.core.exceptions import InvalidInput

datasets_app = typer.Typer(help="Datasets and their records.", no_args_is_help=True)

ACTOR = "cli"
EXPORT_SUFFIXES = ("csv", "jsonl", "parquet")


@datasets_app.command("list")
def list_datasets() -> None:
    """List the datasets."""
    from backend.records.service import RecordsService

    services = open_services()
    table = Table("id", "name", "kind", "records", "fields")
    with services.database.reading() as session:
        for dataset in RecordsService(session, services.clock).list_datasets():
            fields = ", ".join(dataset.fields)
            table.add_row(
                str(dataset.id), dataset.name, dataset.kind, f"{dataset.records:,}", fields
            )
    if not table.row_count:
        Console().print("No datasets yet. Import one: assay import FILE --dataset NAME")
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
    request = DatasetCreate(name=name, kind=kind, fields=field or [])
    with services.database.transaction() as session:
        dataset = RecordsService(session, services.clock).create_dataset(request, actor=ACTOR)
    Console().print(f"Dataset {dataset.id} '{dataset.name}' created.")


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
            f"{file} does not end in .csv, .jsonl or .parquet.",
            field="file",
            value=str(file),
            remedy="Choose one of these suffixes.",
        )
    services = open_services()
    unfinished = file.with_name(file.name + ".part")
    with services.database.reading() as session, unfinished.open("wb") as out:
        service = RecordsService(session, services.clock)
        found = service.find_dataset(dataset)
        assert found.id is not None
        count = service.count(found)
        records = service.stream(found.id, with_history=history)
        for piece in exported(records, list(found.fields), suffix):  # type: ignore[arg-type]
            out.write(piece)
    unfinished.replace(file)
    Console().print(f"{count:,} records written to {file}.")
