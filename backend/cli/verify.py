"""``assay verify``: the proof that nothing was lost and nothing is there twice."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from backend.cli.language import t
from backend.words import Message


def verify(
    project: Annotated[str | None, typer.Argument(help="name or id; empty: every project")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Compare Label Studio with the store and the store with its promises.

    Lists every difference. Exit code 0: none; 1: there are some.
    """
    from backend.bootstrap import open_services
    from backend.integrity.service import verify_project
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        service = ProjectsService(session, services.clock)
        chosen = [service.find(project)] if project else list(service.list())
    reports = [verify_project(services, found) for found in chosen]
    if as_json:
        typer.echo("[" + ",".join(report.model_dump_json() for report in reports) + "]")
    else:
        console = Console()
        for report in reports:
            console.print(
                t(
                    "[bold]{project}[/bold]: {tasks}, {annotations}, {revisions}, {versions} "
                    "compared; {differences}.",
                    project=escape(report.project),
                    tasks=Message.ngettext("{n:,} task", "{n:,} tasks", n=report.tasks_compared),
                    annotations=Message.ngettext(
                        "{n:,} annotation", "{n:,} annotations", n=report.annotations_compared
                    ),
                    revisions=Message.ngettext(
                        "{n:,} revision", "{n:,} revisions", n=report.revisions_checked
                    ),
                    versions=Message.ngettext(
                        "{n:,} model version",
                        "{n:,} model versions",
                        n=report.model_versions_checked,
                    ),
                    differences=Message.ngettext(
                        "{n:,} difference", "{n:,} differences", n=len(report.differences)
                    ),
                )
            )
            if report.differences:
                table = Table(t("kind"), t("subject"), t("store"), t("Label Studio"), t("remedy"))
                for item in report.differences:
                    table.add_row(
                        item.kind,
                        t(item.subject),
                        t(item.store) if item.store else "",
                        t(item.label_studio) if item.label_studio else "",
                        t(item.remedy),
                    )
                console.print(table)
        if not reports:
            console.print(t("There are no projects to verify."))
    if any(not report.is_equal for report in reports):
        raise typer.Exit(1)
