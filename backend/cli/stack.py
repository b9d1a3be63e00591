"""``assay up``, ``assay stop``, ``assay reset``, ``assay logs``: the embedded stack."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from backend.cli.addresses import print_addresses, print_differences, print_logins
from backend.cli.language import t
from backend.core.settings import load_settings
from backend.embedded.stack import EmbeddedStack
from backend.embedded.states import ServiceStatus

Service = Literal["label-studio", "api", "worker"]


def embedded_stack() -> EmbeddedStack:
    """The stack of the data directory that the settings name."""
    return EmbeddedStack(load_settings().data_dir)


def up() -> None:
    """Start Label Studio, the API and the worker. Safe to repeat."""
    from backend.cli.progress import ProgressBar

    stack = embedded_stack()
    with ProgressBar(t("Starting")) as bar:
        running = stack.up(bar)
    console = Console()
    print_differences(console, running.differences)
    print_addresses(console, running.settings)
    print_logins(console, stack.data_dir)


def stop() -> None:
    """Stop what `assay up` started; nothing is lost."""
    from backend.cli.progress import ProgressBar

    with ProgressBar(t("Stopping")) as bar:
        stopped = embedded_stack().down(bar)
    typer.echo(t("Stopped: {stopped}.", stopped=stopped) if stopped else t("Nothing was running."))


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
) -> None:
    """Stop everything and delete the data directory: records, labels, models, all of it."""
    stack = embedded_stack()
    if not stack.data_dir.exists():
        typer.echo(t("There is no {folder}.", folder=stack.data_dir))
        return
    if not yes:
        typer.confirm(
            t("Delete {folder} with all records, labels and models?", folder=stack.data_dir),
            abort=True,
        )
    stack.reset()
    typer.echo(t("Deleted {folder}.", folder=stack.data_dir))


def logs(
    service: Annotated[Service | None, typer.Argument(help="one process only")] = None,
    lines: Annotated[int, typer.Option(min=1, help="last lines of each")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until Ctrl-C")] = False,
) -> None:
    """Show the logs of the embedded stack."""
    shown = [
        status for status in embedded_stack().status() if service is None or status.name == service
    ]
    if not shown:
        typer.echo(t("The stack has never been started here: assay up."))
    for status in shown:
        _show(status, lines)
    if follow and shown:
        for name, line in _follow({status.name: status.log for status in shown}):
            typer.echo(f"{name} | {line}")


def _show(status: ServiceStatus, lines: int) -> None:
    from backend.embedded.processes import tail

    state = t("process {pid}", pid=status.pid) if status.pid else t("not running")
    typer.echo(f"==> {status.name} ({state}) {status.log}")
    typer.echo(tail(status.log, lines))


def _follow(paths: dict[str, Path]) -> Iterator[tuple[str, str]]:
    positions = {name: path.stat().st_size for name, path in paths.items() if path.exists()}
    while True:
        for name, path in paths.items():
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(positions.get(name, 0))
                for line in file:
                    yield name, line.decode("utf-8", "replace").rstrip()
                positions[name] = file.tell()
        time.sleep(0.3)
