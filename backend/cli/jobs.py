"""``assay jobs``: background work."""

from typing import Annotated

import typer
from rich.console import Console

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
    Console().print(job_table(jobs) if jobs else "No jobs.")


@jobs_app.command("cancel")
def cancel_job(job_id: Annotated[str, typer.Argument(help="as listed")]) -> None:
    """Ask a job to stop at its next safe point."""
    from backend.bootstrap import open_services
    from backend.overview.job_overview import JobOverview

    services = open_services()
    with services.database.transaction() as session:
        job = JobOverview(session, services.clock).cancel(job_id, actor=ACTOR)
    is_stopping = job.cancel_requested and job.is_open
    typer.echo(f"{job.id} is {job.status}{' and stops soon' if is_stopping else ''}.")


@jobs_app.command("retry")
def retry_job(job_id: Annotated[str, typer.Argument(help="as listed")]) -> None:
    """Queue a failed or cancelled job anew."""
    from backend.bootstrap import open_services
    from backend.overview.job_overview import JobOverview

    services = open_services()
    with services.database.transaction() as session:
        job = JobOverview(session, services.clock).retry(job_id, actor=ACTOR)
    typer.echo(f"{job.id} is {job.status}.")
