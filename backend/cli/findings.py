"""``assay labels``: which labels to look at again, and what they are worth."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli.language import t
from backend.suspected_labels.schemas import FindingKind, LabelFindingPage
from backend.words import Message
from labeling.label_schema import Titles

labels_app = typer.Typer(
    help="Labels to look at again: suspected errors, value, who deserves one more annotator.",
    no_args_is_help=True,
)

ProjectArgument = Annotated[str, typer.Argument(help="project name or id")]
JsonOption = Annotated[bool, typer.Option("--json", help="as one JSON object")]
LimitOption = Annotated[int, typer.Option(min=1, max=1_000, help="labels to show")]
OffsetOption = Annotated[int, typer.Option(min=0, help="labels to leave out first")]


@labels_app.command("suspects")
def suspects(
    project: ProjectArgument,
    limit: LimitOption = 20,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List labels that a classifier which did not see them contradicts."""
    _show(*_page(project, "suspects", limit, offset), as_json=as_json)


@labels_app.command("value")
def value(
    project: ProjectArgument,
    kind: Annotated[
        FindingKind | None,
        typer.Option(help="harmful, redundant or important; by default the measured summary"),
    ] = None,
    limit: LimitOption = 20,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Show what leaving labels out was measured to do, and the labels of one group."""
    page, titles = _page(project, kind or "harmful", limit, offset)
    if as_json:
        typer.echo(page.model_dump_json(indent=2))
        return
    if page.assessment is not None and page.assessment.skipped_message is None:
        groups = ", ".join(f"{count:,} {name}" for name, count in page.assessment.groups.items())
        Console().print(f"v{page.model_version}: {groups}.", markup=False)
        if page.assessment.summary_message is not None:
            Console().print(t(page.assessment.summary_message), markup=False)
    _show(page, titles, as_json=False)


@labels_app.command("relabel")
def relabel(
    project: ProjectArgument,
    limit: LimitOption = 20,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List labelled records that deserve one more annotator, best first."""
    _show(*_page(project, "relabel", limit, offset), as_json=as_json)


@labels_app.command("export")
def export_findings(
    project: ProjectArgument,
    file: Annotated[Path, typer.Argument(help="ends in .csv or .jsonl")],
    kind: Annotated[FindingKind, typer.Option(help="which labels")] = "all",
) -> None:
    """Write what is found about every label to a file, replaced only when it is whole."""
    from backend.bootstrap import open_services
    from backend.core.exceptions import InvalidInput
    from backend.projects.service import ProjectsService
    from backend.suspected_labels.export import export
    from backend.suspected_labels.service import LabelFindings

    suffix = file.suffix.lower().lstrip(".")
    if suffix not in {"csv", "jsonl"}:
        raise InvalidInput(
            Message("{file} does not end in .csv or .jsonl.", file=file),
            field="file",
            value=str(file),
            remedy=Message("Choose one of these suffixes."),
        )
    services = open_services()
    partial = file.with_name(f"{file.name}.partial")
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        findings = LabelFindings(session, services.clock)
        with partial.open("wb") as opened:
            form: Literal["csv", "jsonl"] = "csv" if suffix == "csv" else "jsonl"
            opened.writelines(export(findings.export(found, kind), form))
    partial.replace(file)
    Console().print(t("Written to {file}.", file=file), markup=False)


@labels_app.command("assess")
def assess(project: ProjectArgument) -> None:
    """Queue judging the newest model version's labels; retrainings do it by themselves."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.suspected_labels.service import LabelFindings

    services = open_services()
    with services.database.transaction() as session:
        found = ProjectsService(session, services.clock).find(project)
        findings = LabelFindings(session, services.clock)
        job_id = findings.request(found, actor="cli")
    if job_id is None:
        Console().print(t("They are judged already: assay labels suspects PROJECT"))
        return
    Console().print(
        t("Queued as {job_id}. Follow it with: assay status", job_id=job_id), markup=False
    )


def _page(
    project: str, kind: FindingKind, limit: int, offset: int
) -> tuple[LabelFindingPage, Titles]:
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService, label_schema_of
    from backend.suspected_labels.service import LabelFindings

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        findings = LabelFindings(session, services.clock)
        page = findings.page(found, kind, offset=offset, limit=limit)
        return page, label_schema_of(found).titles("en")


def _show(page: LabelFindingPage, titles: Titles, *, as_json: bool) -> None:
    if as_json:
        typer.echo(page.model_dump_json(indent=2))
        return
    if page.assessment is None:
        Console().print(t("No label has been judged yet: it happens after each retraining."))
        return
    if page.assessment.skipped_message is not None:
        Console().print(f"v{page.model_version}: {page.assessment.why_skipped}", markup=False)
        return
    table = Table(
        t("record"),
        t("given"),
        t("suggested"),
        t("wrong"),
        t("one more"),
        t("group"),
        t("answers"),
        t("reason"),
    )
    for item in page.items:
        said = ", ".join(f"{one.annotator}: {titles.grade(one.grade)}" for one in item.answers)
        cells = (
            item.external_id,
            titles.grade(item.grade),
            titles.grade(item.suggested),
            f"{100 * item.suspicion:.0f} %",
            f"{item.relabel_score:.2f}",
            item.value_group,
            said,
            t(item.reason_message),
        )
        table.add_row(*map(Text, cells))  # as they are: a value may look like markup
    if not page.items:
        Console().print(t("There is none."))
        return
    Console().print(table)
    Console().print(
        t(
            "{count} of {total:,}, judged by v{model_version}.",
            count=len(page.items),
            total=page.total,
            model_version=page.model_version,
        )
    )
    if page.next_offset is not None:
        Console().print(t("More: --offset {next_offset}", next_offset=page.next_offset))
