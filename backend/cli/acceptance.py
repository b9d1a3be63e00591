"""``assay acceptance``: which records the champion labels alone, and under which promise."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.language import ngettext, t

acceptance_app = typer.Typer(
    help="Machine labels: the champion's own answers, accepted under a promise.",
    no_args_is_help=True,
)

ACTOR = "cli"
ProjectArgument = Annotated[str, typer.Argument(help="project name or id")]


@acceptance_app.command("list")
def list_acceptances(project: ProjectArgument) -> None:
    """List every decision about machine labels and its reason."""
    from backend.bootstrap import open_services
    from backend.machine_labels.labels import MachineLabels
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        labels = MachineLabels(session, services.clock)
        rows, status = labels.decisions(found.id), labels.status(found)
    table = Table(
        t("id"), t("model"), t("state"), t("counts"), t("threshold"), t("records"), t("reason")
    )
    for row in rows:
        table.add_row(
            str(row.id),
            f"v{row.model_version}",
            t(row.state),
            "●" if row.is_standing else "",
            f"{row.threshold:.3f}" if row.threshold is not None else "—",
            f"{row.records:,}",
            t(row.reason_message),
        )
    if rows:
        Console().print(table)
    Console().print(
        ngettext(
            "{n:,} record is labelled by machine. {reason}",
            "{n:,} records are labelled by machine. {reason}",
            status.records,
            reason=status.reason_message,
        )
    )


@acceptance_app.command("labels")
def labels(
    project: ProjectArgument,
    grade: Annotated[str | None, typer.Option(help="only this grade")] = None,
    after: Annotated[int, typer.Option(help="id of the last label of the previous page")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="labels to show")] = 20,
) -> None:
    """List the machine labels that count now, a page at a time."""
    from backend.bootstrap import open_services
    from backend.machine_labels.labels import MachineLabels
    from backend.projects.service import ProjectsService, label_schema_of

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        titles = label_schema_of(found).titles("en")
        page = MachineLabels(session, services.clock).page(
            found, after=after, limit=limit, grade=grade
        )
    table = Table(
        t("id"), t("record"), titles.question, t("confidence"), t("model"), t("to be checked")
    )
    for label in page.labels:
        table.add_row(
            str(label.id),
            label.external_id,
            titles.grade(label.grade),
            f"{label.confidence:.3f}",
            f"v{label.model_version}",
            "yes" if label.is_audited else "",
        )
    if not page.labels:
        Console().print(t("No machine labels here. See why: assay acceptance list PROJECT"))
        return
    Console().print(table)
    if page.after is not None:
        Console().print(t("More: --after {after}", after=page.after))


@acceptance_app.command("now")
def accept_now(project: ProjectArgument) -> None:
    """Queue the question whether the champion may label alone; a worker answers it."""
    from backend.bootstrap import open_services
    from backend.machine_labels.service import AcceptanceService
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.transaction() as session:
        found = ProjectsService(session, services.clock).find(project)
        job_id = AcceptanceService(session, services.clock).request(found, actor=ACTOR)
    Console().print(
        t(
            "Queued as {job_id}. Its answer: assay acceptance list {found}",
            job_id=job_id,
            found=found.id,
        )
    )


@acceptance_app.command("withdraw")
def withdraw(
    project: ProjectArgument,
    reason: Annotated[str, typer.Option(help="why; kept for ever")],
) -> None:
    """Take the machine labels back; their records may be chosen for people again."""
    from backend.bootstrap import open_services
    from backend.machine_labels.schemas import read_withdrawal
    from backend.machine_labels.service import AcceptanceService
    from backend.projects.service import ProjectsService

    request = read_withdrawal(reason)
    services = open_services()
    with services.database.transaction() as session:
        found = ProjectsService(session, services.clock).find(project)
        AcceptanceService(session, services.clock).withdraw(
            found, reason=request.reason, actor=ACTOR
        )
    Console().print(t("The machine labels are withdrawn; the next champion may be accepted again."))


@acceptance_app.command("export")
def export_labels(
    project: ProjectArgument,
    file: Annotated[Path, typer.Argument(help="a .csv or .jsonl file to be written")],
) -> None:
    """Write the machine labels that count now, each marked as such with its promise."""
    from backend.bootstrap import open_services
    from backend.machine_labels.export import export, format_of
    from backend.machine_labels.labels import MachineLabels
    from backend.projects.service import ProjectsService

    label_format = format_of(file)
    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        exported = MachineLabels(session, services.clock).export(found)
        with file.open("wb") as target:
            for piece in export(exported, label_format):
                target.write(piece)
    Console().print(t("Written: {file}", file=file))
