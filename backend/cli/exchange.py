"""``assay export`` and ``assay import-labels``: labels out with their lineage, labels in."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli.datasets import invalid
from backend.cli.imports import SHOWN_REJECTS, SOME_REJECTED
from backend.cli.language import ngettext, t
from backend.cli.progress import ProgressBar
from backend.core.exceptions import InvalidInput
from backend.label_exchange.schemas import ExportFormat, ExportRequest, LabelImportReport, What
from backend.words import Message

FORMATS = ", ".join(get_args(ExportFormat))
KINDS_OF_LABEL = ", ".join(get_args(What))


def export_labels(
    project: Annotated[str, typer.Argument(help="project name or id")],
    out: Annotated[
        Path, typer.Option(help="file; a folder for huggingface. Replaced only when it is whole")
    ],
    what: Annotated[str, typer.Option(help=f"one of: {KINDS_OF_LABEL}")] = "best",
    form: Annotated[
        str | None,
        typer.Option("--format", help=f"one of: {FORMATS}; none: by the ending of --out"),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="labels made or changed since, in UTC")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="records of that kind")] = None,
    grade: Annotated[str | None, typer.Option(help="labels with that grade")] = None,
    audit_only: Annotated[
        bool, typer.Option("--audit-only", help="records drawn at random")
    ] = False,
    min_confidence: Annotated[
        float | None, typer.Option(min=0, max=1, help="of consensus labels; gold stays")
    ] = None,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="people as annotator-1, reviewer-1")
    ] = False,
    byte_order_mark: Annotated[
        bool, typer.Option(help="in CSV, so that Excel reads it as UTF-8")
    ] = True,
) -> None:
    """Export labels with their lineage, and a manifest with counts and SHA-256.

    gold: decided on the review desk; consensus: what the answers amount to; best: gold where
    there is, else consensus; annotations: each person's answer.
    """
    from backend.bootstrap import open_services
    from backend.label_exchange.files import write_export
    from backend.projects.service import ProjectsService

    try:
        request = ExportRequest(
            what=cast(What, what),
            format=cast(ExportFormat, form or _format_of(out)),
            since=since,
            kind=kind,
            grade=grade,
            audit_only=audit_only,
            min_confidence=min_confidence,
            pseudonyms=pseudonyms,
            byte_order_mark=byte_order_mark,
        )
    except ValidationError as error:
        raise invalid(error) from error
    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
    manifest = write_export(services, found, request, out)
    counts = ", ".join(f"{count:,} {name}" for name, count in manifest.counts.items()) or t(
        "no rows"
    )
    Console().print(
        ngettext(
            "{n:,} row written to {file}: {counts}.",
            "{n:,} rows written to {file}: {counts}.",
            manifest.rows,
            file=out,
            counts=counts,
        ),
        markup=False,
    )
    if manifest.changed_records:
        Console().print(
            ngettext(
                "{n:,} record changed since labelled: compare content_hash with "
                "current_content_hash.",
                "{n:,} records changed since labelled: compare content_hash with "
                "current_content_hash.",
                manifest.changed_records,
            )
        )


def _format_of(out: Path) -> str:
    """The format that the file's ending says; JSON lines where it says nothing.

    Raises:
        InvalidInput: an ending that none of the formats has.
    """
    by_ending = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".json": "label_studio"}
    ending = out.suffix.lower()
    if ending and ending not in by_ending:
        raise InvalidInput(
            Message("No format has files that end in {ending}.", ending=ending),
            field="--out",
            value=str(out),
            remedy=Message("Say which it is with --format: {formats}.", formats=FORMATS),
        )
    return by_ending.get(ending, "jsonl")


def import_labels(
    file: Annotated[Path, typer.Argument(help="Label Studio's export of type JSON; .gz is fine")],
    project: Annotated[str, typer.Option(help="name; made if it is not there")],
    dataset: Annotated[
        str | None, typer.Option(help="of a new project; none: called like the project")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="YAML or JSON: what the file's questions mean here")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would happen; keep nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as one JSON object")] = False,
) -> None:
    """Import the labels of another Label Studio project. Safe to repeat: nothing comes twice.

    Exit code 0: everything is imported. 1: nothing is, the file cannot be read. 2: wrong usage.
    3: imported but for some rejected tasks or annotations, which are listed.
    """
    from backend.bootstrap import open_services
    from backend.label_exchange import label_import
    from backend.label_exchange.destination import LabelImport, read_mapping
    from labeling.label_studio.label_mapping import LabelMapping

    request = LabelImport(
        path=file,
        project=project,
        dataset=dataset,
        mapping=read_mapping(mapping) if mapping else LabelMapping(),
        is_dry_run=dry_run,
    )
    with ProgressBar(t("import labels")) as bar:
        report = label_import.import_labels(open_services(), request, actor="cli", progress=bar)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _show(report)
    if report.rejected:
        raise typer.Exit(SOME_REJECTED)


def _show(report: LabelImportReport) -> None:
    console = Console()
    table = Table("", t("read"), t("new"), t("changed"), t("unchanged"))
    records = (report.records_new, report.records_changed, report.records_unchanged)
    answers = (report.annotations_new, report.annotations_updated, report.annotations_unchanged)
    table.add_row("records", f"{report.tasks_read:,}", *(f"{number:,}" for number in records))
    table.add_row(
        "annotations", f"{report.annotations_read:,}", *(f"{number:,}" for number in answers)
    )
    console.print(table)
    if report.rejects:
        listed = Table(t("task"), t("field"), t("value"), t("reason"), title=t("Rejected"))
        for reject in report.rejects[:SHOWN_REJECTS]:
            cells = (str(reject.line), reject.field or "", reject.value or "", t(reject.reason))
            listed.add_row(*map(Text, cells))  # as they are: a value may look like markup
        console.print(listed)
        if report.rejected > SHOWN_REJECTS:
            where = (
                "--json lists the first hundred"
                if report.is_dry_run
                else f"GET /api/v1/imports/{report.import_id}/rejects lists them all"
            )
            console.print(
                t(
                    "… and {rejected:,} more: {where}.",
                    rejected=report.rejected - SHOWN_REJECTS,
                    where=where,
                )
            )
        console.print(
            t(
                "Values that the label schema does not have: create the project with "
                "its schema first, or say in --mapping what they mean (controls; "
                "label_schema for a new project)."
            )
        )
    if report.is_dry_run:
        console.print(t("Nothing was kept: it was a dry run."))
    elif report.annotations_new + report.annotations_updated:
        console.print(
            t(
                "The worker works out the consensus (assay worker). To learn from "
                "these labels: assay models train PROJECT."
            )
        )
