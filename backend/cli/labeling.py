"""``assay push``, ``assay sync``: the traffic with Label Studio, by hand."""

from typing import Annotated

import typer
from rich.console import Console

from backend.cli.language import ngettext, t
from backend.cli.progress import ProgressBar
from backend.words import Message

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
            t(
                "{answers}; {tasks}.",
                answers=Message.ngettext(
                    "{n:,} answer is kept", "{n:,} answers are kept", n=made.answers_kept
                ),
                tasks=Message.ngettext(
                    "{n:,} task that wants more is pushed again",
                    "{n:,} tasks that want more are pushed again",
                    n=made.tasks_pushed_again,
                ),
            )
        )
    with ProgressBar() as report:
        pushed = push_batches(services, found.id, report)
    Console().print(ngettext("{n:,} task pushed.", "{n:,} tasks pushed.", pushed))


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
        ngettext(
            "{created:,} new, {updated:,} updated and {n:,} deleted annotation.",
            "{created:,} new, {updated:,} updated and {n:,} deleted annotations.",
            counts.deleted,
            created=counts.created,
            updated=counts.updated,
        )
    )
