"""``assay push``, ``assay sync``: the traffic with Label Studio, by hand."""

from typing import Annotated

import typer
from rich.console import Console

from backend.cli.progress import ProgressBar
from backend.core.counting import amount

ProjectArgument = Annotated[str, typer.Argument(help="project name or id")]


def push(
    project: ProjectArgument,
    is_made_anew: Annotated[
        bool,
        typer.Option(
            "--recreate",
            help="make the project anew in a Label Studio that lost it; answers are kept",
        ),
    ] = False,
) -> None:
    """Push every batch that Label Studio does not hold in full. Safe to repeat."""
    from backend.bootstrap import open_services
    from backend.label_studio.push import push_batches
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
    if is_made_anew:
        from backend.label_studio.recreation import recreate

        made = recreate(services, found.id, actor="cli")
        Console().print(
            f"{amount(made.answers_kept, 'answer is', 'answers are')} kept; "
            f"{amount(made.tasks_pushed_again, 'task that wants', 'tasks that want')} more "
            f"{'is' if made.tasks_pushed_again == 1 else 'are'} pushed again."
        )
    with ProgressBar() as report:
        pushed = push_batches(services, found.id, report)
    Console().print(f"{amount(pushed, 'task')} pushed.")


def sync(
    project: ProjectArgument,
    full: Annotated[bool, typer.Option(help="read everything, not only what changed")] = False,
) -> None:
    """Make the store equal to Label Studio, now. Safe to repeat."""
    from backend.bootstrap import open_services
    from backend.label_studio.sync import sync_project
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
    with ProgressBar() as report:
        counts = sync_project(services, found.id, is_full=full, progress=report)
    Console().print(
        f"{counts.created:,} new, {counts.updated:,} updated and "
        f"{amount(counts.deleted, 'deleted annotation')}."
    )
