"""``assay verify``: the proof that nothing was lost and nothing is there twice."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from backend.core.counting import amount


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
                f"[bold]{escape(report.project)}[/bold]: {amount(report.tasks_compared, 'task')}, "
                f"{amount(report.annotations_compared, 'annotation')}, "
                f"{amount(report.revisions_checked, 'revision')}, "
                f"{amount(report.model_versions_checked, 'model version')} compared; "
                f"{amount(len(report.differences), 'difference')}."
            )
            if report.differences:
                table = Table("kind", "subject", "store", "Label Studio", "remedy")
                for item in report.differences:
                    table.add_row(
                        item.kind,
                        item.subject,
                        item.store or "",
                        item.label_studio or "",
                        item.remedy,
                    )
                console.print(table)
        if not reports:
            console.print("There are no projects to verify.")
    if any(not report.is_equal for report in reports):
        raise typer.Exit(1)
