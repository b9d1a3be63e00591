"""``assay jobs``: background work."""

from typing import Annotated

import typer
from rich.console import Console

from backend.cli.language import t
from backend.words import Message

jobs_app = typer.Typer(help="Background work.", no_args_is_help=True)


@jobs_app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 30,
) -> None:
    """List the jobs, open ones first."""
    from backend.bootstrap import open_services
    from backend.cli.status import job_table
    from backend.overview.service import OverviewService

    services = open_services()
    with services.database.reading() as session:
        jobs = OverviewService(session, services.clock, services.settings).jobs(limit=limit)
    Console().print(job_table(jobs) if jobs else t("No jobs."))


@jobs_app.command("cancel")
def cancel_job(job_id: Annotated[str, typer.Argument(help="as listed")]) -> None:
    """Ask a job to stop at its next safe point."""
    from backend.bootstrap import open_services
    from backend.jobs.queue import request_cancel

    services = open_services()
    with services.database.transaction() as session:
        job = request_cancel(session, job_id, now=services.clock())
    told = {"job": job.id, "status": Message(job.status)}
    typer.echo(
        t("{job} is {status} and stops soon.", **told)
        if job.cancel_requested
        else t("{job} is {status}.", **told)
    )
