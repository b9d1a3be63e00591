"""``assay status``: what is going on."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from backend.core.counting import amount

if TYPE_CHECKING:
    from backend.overview.schemas import (
        EstimatePublic,
        JobPublic,
        ProjectStatus,
        StatusReport,
        WorkerStatus,
    )

IMPORTED_ROUND = 0
STYLES = {
    "running": "cyan",
    "queued": "blue",
    "waiting": "yellow",
    "done": "green",
    "failed": "red",
    "cancelled": "dim",
}


def status(
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
) -> None:
    """Show records, tasks, annotations, rounds, champion, jobs and sync lag."""
    from backend.bootstrap import open_services
    from backend.overview.service import OverviewService

    services = open_services()
    with services.database.reading() as session:
        report = OverviewService(session, services.clock, services.settings).report()
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
        return
    show(report, Console())


def show(report: "StatusReport", console: Console) -> None:
    """Print the report for a person."""
    for project in report.projects:
        console.print(_project(project))
    if not report.projects:
        console.print("No projects yet. Create one: assay projects create NAME --dataset NAME")
    console.print(_workers(report.workers))
    if report.jobs:
        console.print(job_table(report.jobs))
    else:
        console.print(f"No open jobs; {report.job_counts.done} done.")


def job_table(jobs: "list[JobPublic]") -> Table:
    """Jobs with status and progress; ids are whole, as `assay jobs cancel` wants them."""
    table = Table(
        Column("job", overflow="fold", min_width=25), "project", "status", "progress", "message"
    )
    for job in jobs:
        message = (job.error or job.message).strip().splitlines()
        table.add_row(
            Text(job.id if job.id.startswith(job.name) else f"{job.name} {job.id}"),
            str(job.project_id or ""),
            Text(job.status, style=STYLES[job.status]),
            f"{100 * job.progress:.0f} %" if job.is_open else "",
            escape(message[-1]) if message else "",
        )
    return table


def _project(project: "ProjectStatus") -> Panel:
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row(
        f"records [b]{project.records:,}[/b]",
        f"not labelled [b]{project.pool:,}[/b]",
        f"tasks [b]{project.tasks.pushed:,}[/b]"
        + (f" ({project.tasks.deleted} deleted)" if project.tasks.deleted else ""),
        f"annotations [b]{project.annotations.current:,}[/b]"
        f" ({amount(project.annotations.revisions, 'revision')})",
        f"annotators [b]{project.annotators}[/b]",
    )
    is_imported = project.round == IMPORTED_ROUND and project.batch_size
    numbers.add_row(
        "imported labels" if is_imported else f"round [b]{project.round}[/b]",
        f"labelled [b]{project.batch_labelled} of {project.batch_size}[/b]",
        f"champion [b]{f'v{project.champion}' if project.champion else 'none yet'}[/b]",
        f"accuracy on new records [b]{_estimate(project.accuracy)}[/b]",
        _sync(project),
    )
    parts: list[Table | str] = [numbers]
    if project.rounds:
        parts.append(_rounds(project))
    parts.extend(_conclusions(project))
    return Panel(Group(*parts), title=escape(f"{project.id}  {project.name}"), title_align="left")


def _conclusions(project: "ProjectStatus") -> "list[str]":
    """Whether to label on, and what needs no person; each a line."""
    lines = [f"[yellow]{escape(warning.text)}[/yellow]" for warning in project.warnings]
    style = "red" if project.loop.state == "stopped" else "b"
    state = f"[{style}]{project.loop.state}[/{style}]"
    lines.append(f"loop {state}: {escape(project.loop.reason)}")
    nothing = project.loop.nothing_trained
    if nothing is not None:
        why = f"nothing was trained at {nothing.at:%Y-%m-%d %H:%M} UTC: {nothing.reason}"
        lines.append(escape(why))
    if project.label_studio_url:
        lines.append(f"label at {escape(project.label_studio_url)}")
    if project.sync.error:
        lines.append(f"[red]sync fails:[/red] {escape(project.sync.error)}")
    if project.advice is not None:
        lines.append(f"advice: {escape(project.advice.reason)}")
    machine = project.machine_labels
    if machine is not None and machine.state != "off":
        checks = f"; {machine.wrong} of {machine.checked} checked are wrong" * bool(machine.checked)
        lines.append(f"machine labels [b]{machine.records:,}[/b]{checks}. {escape(machine.reason)}")
    return lines


def _rounds(project: "ProjectStatus") -> Table:
    quality = ("accuracy on new records", "macro-F1", "agreement")
    table = Table("round", "labelled", "labels", *quality, "model")
    for row in project.rounds:
        champion = " *" if row.model_version == project.champion else ""
        table.add_row(
            str(row.round) if row.round != IMPORTED_ROUND else "imported",
            f"{row.labelled} of {row.batch_size}",
            str(row.labels if row.labels is not None else ""),
            _estimate(row.accuracy),
            _estimate(row.macro_f1),
            f"{row.agreement.value:.2f}" if row.agreement else "–",
            f"v{row.model_version}{champion}" if row.model_version else "–",
        )
    return table


def _estimate(measure: "EstimatePublic | None") -> str:
    if measure is None:
        return "–"
    text = f"{100 * measure.value:.1f} %"
    if measure.low is None or measure.high is None:
        return text
    return f"{text} ({100 * measure.low:.0f}–{100 * measure.high:.0f})"


def _sync(project: "ProjectStatus") -> str:
    if project.sync.error:
        return "[red]sync fails[/red]"
    if project.sync.lag_seconds is None:
        return "never synced"
    waiting = project.sync.unprocessed_events
    return f"synced [b]{project.sync.lag_seconds:.0f} s[/b] ago" + (
        f", {waiting} webhook events wait" if waiting else ""
    )


def _workers(workers: "list[WorkerStatus]") -> str:
    alive = [worker for worker in workers if worker.is_alive]
    if not alive:
        return "[yellow]No worker is running; jobs wait until one starts: assay worker[/yellow]"
    return "workers: " + ", ".join(
        f"{escape(worker.id)} (up for {worker.up_seconds:.0f} s)" for worker in alive
    )
