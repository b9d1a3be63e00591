"""``assay status``: what is going on."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from backend.cli.language import ngettext, t
from backend.loop.repository import NO_ROUND
from backend.words import Message

if TYPE_CHECKING:
    from backend.overview.schemas import (
        EstimatePublic,
        JobPublic,
        ProjectStatus,
        StatusReport,
        WorkerStatus,
    )

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
        console.print(t("No projects yet. Create one: assay projects create NAME --dataset NAME"))
    console.print(_workers(report.workers))
    if report.jobs:
        console.print(job_table(report.jobs))
    else:
        console.print(t("No open jobs; {done} done.", done=report.job_counts.done))


def job_table(jobs: "list[JobPublic]") -> Table:
    """Jobs with status and progress; ids are whole, as `assay jobs cancel` wants them."""
    table = Table(
        Column(t("job"), overflow="fold", min_width=25),
        t("project"),
        t("status"),
        t("progress"),
        t("message"),
    )
    for job in jobs:
        message = t(job.error or job.message).strip().splitlines()
        table.add_row(
            Text(job.id if job.id.startswith(job.name) else f"{job.name} {job.id}"),
            str(job.project_id or ""),
            Text(t(job.status), style=STYLES[job.status]),
            f"{100 * job.progress:.0f} %" if job.is_open else "",
            escape(message[-1]) if message else "",
        )
    return table


def _project(project: "ProjectStatus") -> Panel:
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row(
        t("records [b]{count:,}[/b]", count=project.records),
        t("not labelled [b]{count:,}[/b]", count=project.pool),
        t(
            "tasks [b]{count:,}[/b] ({deleted:,} deleted)",
            count=project.tasks.pushed,
            deleted=project.tasks.deleted,
        )
        if project.tasks.deleted
        else t("tasks [b]{count:,}[/b]", count=project.tasks.pushed),
        t(
            "annotations [b]{count:,}[/b] ({revisions})",
            count=project.annotations.current,
            revisions=Message.ngettext(
                "{n:,} revision", "{n:,} revisions", n=project.annotations.revisions
            ),
        ),
        t("annotators [b]{count}[/b]", count=project.annotators),
    )
    is_imported = project.round == NO_ROUND and project.batch_size
    numbers.add_row(
        t("imported labels") if is_imported else t("round [b]{number}[/b]", number=project.round),
        t(
            "labelled [b]{done} of {all}[/b]",
            done=project.batch_labelled,
            all=project.batch_size,
        ),
        t("champion [b]v{number}[/b]", number=project.champion)
        if project.champion
        else t("champion [b]none yet[/b]"),
        t("accuracy on new records [b]{estimate}[/b]", estimate=_estimate(project.accuracy)),
        _sync(project),
    )
    parts: list[Table | str] = [numbers]
    if project.rounds:
        parts.append(_rounds(project))
    parts.extend(_conclusions(project))
    return Panel(Group(*parts), title=escape(f"{project.id}  {project.name}"), title_align="left")


def _conclusions(project: "ProjectStatus") -> "list[str]":
    """Whether to label on, and what needs no person; each a line."""
    lines = [f"[yellow]{escape(t(warning.text_message))}[/yellow]" for warning in project.warnings]
    if project.has_simulated_answers:
        lines.insert(0, f"[yellow]{t('answers here are simulated')}[/yellow]")
    style = "red" if project.loop.state == "stopped" else "b"
    state = f"[{style}]{t(project.loop.state)}[/{style}]"
    lines.append(t("loop {state}: {reason}", state=state, reason=escape(t(project.loop.reason))))
    nothing = project.loop.nothing_trained
    if nothing is not None:
        why = t(
            "nothing was trained at {moment} UTC: {reason}",
            moment=f"{nothing.at:%Y-%m-%d %H:%M}",
            reason=nothing.reason,
        )
        lines.append(escape(why))
    if project.label_studio_url:
        lines.append(t("label at {url}", url=escape(project.label_studio_url)))
    if project.sync.error:
        lines.append(t("[red]sync fails:[/red] {error}", error=escape(t(project.sync.error))))
    if project.advice is not None:
        lines.append(t("advice: {reason}", reason=escape(t(project.advice.reason_message))))
    machine = project.machine_labels
    if machine is not None and machine.state != "off":
        told = {"count": machine.records, "reason": escape(t(machine.reason_message))}
        lines.append(
            t(
                "machine labels [b]{count:,}[/b]; {wrong} of {checked} checked are wrong. {reason}",
                wrong=machine.wrong,
                checked=machine.checked,
                **told,
            )
            if machine.checked
            else t("machine labels [b]{count:,}[/b]. {reason}", **told)
        )
    return lines


def _rounds(project: "ProjectStatus") -> Table:
    quality = (t("accuracy on new records"), t("macro-F1"), t("agreement"))
    table = Table(t("round"), t("labelled"), t("labels"), *quality, t("model"))
    for row in project.rounds:
        champion = " *" if row.model_version == project.champion else ""
        table.add_row(
            str(row.round) if row.round != NO_ROUND else t(row.strategy),
            t("{done} of {all}", done=row.labelled, all=row.batch_size),
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
        return t("[red]sync fails[/red]")
    if project.sync.lag_seconds is None:
        return t("never synced")
    waiting = project.sync.unprocessed_events
    synced = t("synced [b]{seconds:.0f} s[/b] ago", seconds=project.sync.lag_seconds)
    if not waiting:
        return synced
    return ngettext(
        "{synced}, {n} webhook event waits",
        "{synced}, {n} webhook events wait",
        waiting,
        synced=synced,
    )


def _workers(workers: "list[WorkerStatus]") -> str:
    alive = [worker for worker in workers if worker.is_alive]
    if not alive:
        return t("[yellow]No worker is running; jobs wait until one starts: assay worker[/yellow]")
    return t(
        "workers: {workers}",
        workers=[
            Message(
                "{worker} (up for {seconds:.0f} s)",
                worker=escape(worker.id),
                seconds=worker.up_seconds,
            )
            for worker in alive
        ],
    )
