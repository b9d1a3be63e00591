"""``assay jobs``: background work."""

from typing import Annotated

import typer
from rich.console import Console

from backend.cli.language import t
from backend.words import Message

ACTOR = "cli"

jobs_app = typer.Typer(help="Background work.", no_args_is_help=True)


@jobs_app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 30,
) -> None:
    """List the jobs, open ones first."""
    from backend.bootstrap import open_services
    from backend.cli.status import job_table
    from backend.overview.job_overview import JobOverview

    services = open_services()
    with services.database.reading() as session:
        jobs = JobOverview(session, services.clock).jobs(limit=limit)
    Console().print(job_table(jobs) if jobs else t("No jobs."))


@jobs_app.command("cancel")
def cancel_job(job_id: Annotated[str, typer.Argument(help="as listed")]) -> None:
    """Ask a job to stop at its next safe point."""
    from backend.bootstrap import open_services
    from backend.overview.job_overview import JobOverview

    services = open_services()
    with services.database.transaction() as session:
        job = JobOverview(session, services.clock).cancel(job_id, actor=ACTOR)
    told = {"job": job.id, "status": Message(job.status)}
    typer.echo(
        t("{job} is {status} and stops soon.", **told)
        if job.cancel_requested and job.is_open
        else t("{job} is {status}.", **told)
    )


@jobs_app.command("retry")
def retry_job(job_id: Annotated[str, typer.Argument(help="as listed")]) -> None:
    """Queue a failed or cancelled job anew."""
    from backend.bootstrap import open_services
    from backend.overview.job_overview import JobOverview

    services = open_services()
    with services.database.transaction() as session:
        job = JobOverview(session, services.clock).retry(job_id, actor=ACTOR)
    typer.echo(t("{job} is {status}.", job=job.id, status=Message(job.status)))
