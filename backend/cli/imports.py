"""``assay import``: a file or an SQL table into a dataset."""

import csv
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.bootstrap import Services, open_services
from backend.cli.datasets import file_to_replace, invalid
from backend.cli.language import t
from backend.cli.progress import ProgressBar
from backend.core.exceptions import InvalidInput
from backend.ingestion.schemas import ImportReport, ImportRequest, Reject, SourceFormat
from backend.words import Message

SHOWN_REJECTS = 10
REFUSED = 1
SOME_REJECTED = 3
FORMATS = ("csv", "jsonl", "parquet", "sql")


def import_records(
    dataset: Annotated[str, typer.Option(help="name; created if it is not there")],
    file: Annotated[Path | None, typer.Argument(help="CSV, JSONL or Parquet; .gz is fine")] = None,
    id_column: Annotated[
        str | None, typer.Option(help="column of the external id; none: the line number is it")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD; repeat it")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="columns to keep, with commas between, one with a comma in quotes; none: all"
        ),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="kind of the records, e.g. product, review")
    ] = None,
    kind_column: Annotated[str | None, typer.Option(help="column of the kind")] = None,
    observed_at_column: Annotated[
        str | None, typer.Option(help="column of the time when the row was observed")
    ] = None,
    source: Annotated[str | None, typer.Option(help="name of the source; none: FILE")] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, jsonl or parquet; none: by FILE")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="e.g. gb18030; none: UTF-8")] = None,
    delimiter: Annotated[str | None, typer.Option(help="of CSV; none: by the header")] = None,
    url: Annotated[str | None, typer.Option(help="database, e.g. sqlite:///shop.db")] = None,
    table: Annotated[str | None, typer.Option(help="its table")] = None,
    strict: Annotated[bool, typer.Option(help="keep nothing if any row is rejected")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="write every rejected row to this CSV file")
    ] = None,
) -> None:
    """Import records into a dataset. Safe to repeat: what is there already stays unchanged.

    Exit code 0: every row is imported. 1: nothing is, the source cannot be read or --strict
    refused it. 2: wrong usage. 3: imported but for some rejected rows, which are listed.
    """
    from backend.ingestion.service import import_source

    if file_format is not None and file_format not in FORMATS:
        raise InvalidInput(
            Message("There is no format {file_format!r}.", file_format=file_format),
            field="--format",
            value=file_format,
            remedy=Message("Choose one of: {formats}.", formats=FORMATS),
        )
    request = _check_request(
        dataset=dataset,
        path=file,
        url=url,
        table=table,
        format=cast(SourceFormat | None, file_format),
        encoding=encoding,
        delimiter="\t" if delimiter in ("\\t", "tab") else delimiter,
        id_column=id_column,
        kind=kind,
        kind_column=kind_column,
        observed_at_column=observed_at_column,
        source=source,
        renames=parse_renames(rename or []),
        columns=parse_columns(columns) if columns else None,
        strict=strict,
    )
    services = open_services()
    with ProgressBar(t("import")) as bar:  # no name of the user's: the bar would read it as markup
        report = import_source(
            services.database, request, services.clock, progress=bar, actor="cli"
        )
    show(services, report)
    is_own = report.understood is not None and report.understood.is_own_export
    if id_column is None and report.rows_new and not is_own:
        typer.echo(
            t(
                "Each record's id is its line number; name a column that tells "
                "records apart with --id-column, or another file's lines are taken "
                "for new versions of these."
            ),
            err=True,
        )
    if rejects is not None:
        write_rejects(services, report.id, rejects)
    if report.status != "done":
        raise typer.Exit(REFUSED)
    if report.rows_rejected:
        raise typer.Exit(SOME_REJECTED)


def _check_request(**options: Any) -> ImportRequest:
    try:
        return ImportRequest(**options)
    except ValidationError as error:
        raise invalid(error) from error


def parse_columns(text: str) -> list[str]:
    """The names between the commas; one with a comma of its own stands in quotes, as in CSV."""
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True))]


def parse_renames(pairs: list[str]) -> dict[str, str]:
    """``COLUMN=FIELD`` pairs.

    Raises:
        InvalidInput: a pair without ``=`` or with an empty side.
    """
    renames: dict[str, str] = {}
    for pair in pairs:
        column, _, field = pair.partition("=")
        if not column or not field:
            raise InvalidInput(
                Message("{pair!r} is not COLUMN=FIELD.", pair=pair),
                field="--map",
                value=pair,
                remedy=Message("Write for example --map product_name=title."),
            )
        renames[column] = field
    return renames


def show(services: Services, report: ImportReport) -> None:
    """Print the counts and the first rejected rows."""
    console = Console()
    counts = Table(
        t("import"), t("read"), t("new"), t("changed"), t("unchanged"), t("rejected"), t("status")
    )
    numbers = (
        report.rows_read,
        report.rows_new,
        report.rows_changed,
        report.rows_unchanged,
        report.rows_rejected,
    )
    counts.add_row(str(report.id), *(f"{number:,}" for number in numbers), report.status)
    console.print(counts)
    if report.error:
        console.print(t(report.error), markup=False)
    for sentence in report.understood.sentences() if report.understood else ():
        console.print(t(sentence), markup=False, highlight=False)
    if report.rows_rejected:
        first = Table(t("line"), t("field"), t("value"), t("reason"), title=t("Rejected rows"))
        for reject in _rejects(services, report.id, SHOWN_REJECTS):
            cells = (str(reject.line), reject.field or "", reject.value or "", t(reject.reason))
            first.add_row(*map(Text, cells))  # as they are: a value may look like markup
        console.print(first)
        if report.rows_rejected > SHOWN_REJECTS:
            console.print(
                t(
                    "… and {rows_rejected:,} more: --rejects FILE",
                    rows_rejected=report.rows_rejected - SHOWN_REJECTS,
                )
            )


def write_rejects(services: Services, import_id: int, path: Path) -> None:
    """The file lists every rejected row: line, field, value, reason."""
    from backend.ingestion.reports import rejects_csv

    with file_to_replace(path) as out:
        out.writelines(rejects_csv(services, import_id))


def _rejects(services: Services, import_id: int, limit: int) -> list[Reject]:
    from itertools import islice

    from backend.ingestion.reports import ImportsService

    with services.database.reading() as session:
        return list(islice(ImportsService(session).rejects(import_id), limit))
