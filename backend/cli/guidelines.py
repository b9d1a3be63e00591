"""``assay guidelines``: read, write and publish a project's labelling guideline."""

import getpass
import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from backend.cli.language import t
from backend.core.exceptions import InvalidInput
from backend.guidelines.schemas import GuidelineDraft, GuidelineText
from backend.words import Message

guidelines_app = typer.Typer(help="Labelling guidelines.", no_args_is_help=True)

ProjectArgument = Annotated[str, typer.Argument(help="name or id")]
PARTS = {"text", "text_zh", "rules"}


@guidelines_app.command("show")
def show(
    project: ProjectArgument,
    version: Annotated[int | None, typer.Option(help="empty: the one annotators are shown")] = None,
) -> None:
    """Print a version as YAML, as `assay guidelines edit --file` reads it."""
    from backend.bootstrap import open_services
    from backend.guidelines.service import Guidelines
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        guidelines = Guidelines(session, services.clock)
        shown = guidelines.current(found) if version is None else guidelines.version(found, version)
    typer.echo(t("# version {version}: {change}", version=shown.version, change=shown.change))
    typer.echo(as_yaml(shown.says), nl=False)


@guidelines_app.command("edit")
def edit(
    project: ProjectArgument,
    change: Annotated[str, typer.Option(help="what is new and why")],
    file: Annotated[
        Path | None, typer.Option(help="YAML with text, text_zh and rules; -: standard input")
    ] = None,
    based_on: Annotated[
        int | None, typer.Option(help="version you began with; another one since is a conflict")
    ] = None,
) -> None:
    """Save a new version: from a file, or written in the editor that $EDITOR names."""
    from backend.bootstrap import open_services
    from backend.guidelines.service import Guidelines
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        newest = Guidelines(session, services.clock).newest(found)
    if file is None:
        written = _edit(as_yaml(newest.says))
    else:
        written = sys.stdin.read() if str(file) == "-" else _read(file)
    draft = _draft(written, change, based_on or newest.version)
    with services.database.transaction() as session:
        saved = Guidelines(session, services.clock).save(
            found, draft, author=f"cli:{getpass.getuser()}"
        )
    typer.echo(
        t(
            "Version {version} is saved. Show it: assay guidelines publish {project}",
            version=saved.version,
            project=project,
        )
    )


@guidelines_app.command("publish")
def publish(
    project: ProjectArgument,
    version: Annotated[int | None, typer.Argument(help="empty: the newest")] = None,
) -> None:
    """Make a version count; a worker shows it in Label Studio as soon as that answers."""
    from backend.bootstrap import open_services
    from backend.guidelines.service import Guidelines
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.transaction() as session:
        found = ProjectsService(session, services.clock).find(project)
        guidelines = Guidelines(session, services.clock)
        number = version or guidelines.newest(found).version
        published = guidelines.publish(found, number, actor=f"cli:{getpass.getuser()}")
    typer.echo(t("Version {version} counts from now on.", version=published.version))


@guidelines_app.command("history")
def history(project: ProjectArgument) -> None:
    """List every version, newest first."""
    from backend.bootstrap import open_services
    from backend.guidelines.service import Guidelines
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        versions = Guidelines(session, services.clock).history(found)
    table = Table(t("version"), t("what is new"), t("author"), t("saved"), t("published"), "")
    for each in versions:
        published = f"{each.published_at:%Y-%m-%d %H:%M}" if each.published_at else ""
        counts = "counts" if each.is_current else ""
        saved = f"{each.created_at:%Y-%m-%d %H:%M}"
        table.add_row(str(each.version), each.change, each.author, saved, published, counts)
    Console().print(table)


def as_yaml(text: GuidelineText) -> str:
    """A guideline as people edit it in a file."""
    dumped: str = yaml.dump(
        text.model_dump(include=PARTS), Dumper=_Readable, allow_unicode=True, sort_keys=False
    )
    return dumped


class _Readable(yaml.SafeDumper):
    """Text of several lines is written as lines."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _write_text)


def _edit(text: str) -> str:
    """``text`` as it is when the editor is closed."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with TemporaryDirectory() as folder:
        file = Path(folder, "guideline.yaml")
        file.write_text(text, encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(file)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise InvalidInput(
                Message("The editor {editor!r} failed: {error}.", editor=editor, error=error),
                field="EDITOR",
                value=editor,
                remedy=Message("Set EDITOR to another one, or name a file with --file."),
            ) from error
        return _read(file)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            Message("{file} cannot be read: {error}.", file=file, error=error),
            field="--file",
            remedy=Message("Name a UTF-8 YAML file."),
        ) from error


def _draft(written: str, change: str, based_on: int) -> GuidelineDraft:
    remedy = "Write YAML with text, text_zh and rules, as `assay guidelines show` prints it."
    try:
        parts = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise InvalidInput(
            Message("This is not YAML: {error}.", error=error), field="--file", remedy=remedy
        ) from error
    if not isinstance(parts, dict) or not set(parts) <= PARTS:
        raise InvalidInput(
            Message("This is not a guideline: it has other parts."), field="--file", remedy=remedy
        )
    try:
        return GuidelineDraft.model_validate({**parts, "change": change, "based_on": based_on})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "rules"
        raise InvalidInput(
            Message("{name}: {msg}.", name=name, msg=first["msg"]), field=name, remedy=remedy
        ) from error
