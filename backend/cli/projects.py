"""``assay projects``: create, list, show, change and delete labelling projects."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli.confirmation import ConfirmOption, ask_for_name
from backend.cli.language import t
from backend.core.exceptions import InvalidInput
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.words import Message

projects_app = typer.Typer(
    help="Labelling projects: a dataset, a label schema, a policy.", no_args_is_help=True
)

ACTOR = "cli"
SETTING_HELP = f"policy setting KEY=VALUE; keys: {', '.join(LoopPolicy.model_fields)}"


@projects_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="3 to 50 characters")],
    dataset: Annotated[str, typer.Option(help="name of an imported dataset")],
    label_schema: Annotated[
        Path | None, typer.Option(help="YAML or JSON file; empty: good / fair / poor and issues")
    ] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help=SETTING_HELP)] = None,
    start: Annotated[bool, typer.Option(help="choose and push the first batch at once")] = True,
) -> None:
    """Create a project; its first batch appears in Label Studio as soon as a worker runs."""
    from backend.bootstrap import open_services
    from backend.projects.policy_checks import read_policy
    from backend.projects.project_warnings import warnings_of
    from backend.projects.service import ProjectsService
    from backend.training.service import TrainingService
    from labeling.declaration import read_declaration

    services = open_services()
    request = ProjectCreate(
        name=name,
        dataset=dataset,
        label_schema=read_declaration(label_schema) if label_schema else None,
        policy=read_policy(parse_settings(setting or [])),
    )
    with services.database.transaction() as session:
        project = ProjectsService(session, services.clock).create(request, actor=ACTOR)
        if start:
            TrainingService(session, services.clock).request_batch(project, actor=ACTOR)
    Console().print(
        t("Project {number} '{project}' created.", number=project.id, project=project.name),
        markup=False,
    )
    for words in warnings_of(project):
        Console(stderr=True).print(t(words), style="yellow", markup=False)


@projects_app.command("list")
def list_projects() -> None:
    """List the projects."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.records.service import RecordsService

    services = open_services()
    table = Table(
        t("id"), t("name"), t("dataset"), t("Label Studio"), t("policy where not the default")
    )
    default = LoopPolicy().model_dump(mode="json")
    with services.database.reading() as session:
        datasets = RecordsService(session, services.clock)
        for project in ProjectsService(session, services.clock).list():
            settings = [f"{k}={v}" for k, v in project.policy.items() if v != default.get(k)]
            table.add_row(
                str(project.id),
                Text(project.name),
                Text(datasets.get_dataset(project.dataset_id).name),
                str(project.label_studio_project_id or "—"),
                Text(", ".join(settings)),
            )
    if not table.row_count:
        Console().print(t("No projects yet. Create one: assay projects create NAME --dataset NAME"))
        return
    Console().print(table)


@projects_app.command("show")
def show(project: Annotated[str, typer.Argument(help="name or id")]) -> None:
    """Print a project with its label schema and policy as JSON."""
    from backend.bootstrap import open_services
    from backend.projects.public import to_public
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        typer.echo(to_public(found).model_dump_json(indent=2))


@projects_app.command("set")
def change(
    project: Annotated[str, typer.Argument(help="name or id")],
    setting: Annotated[list[str], typer.Argument(help=SETTING_HELP)],
) -> None:
    """Change a project's policy."""
    from backend.bootstrap import open_services
    from backend.projects.project_warnings import warnings_of
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
    with services.database.transaction() as session:
        service = ProjectsService(session, services.clock)
        changed = service.set_policy(found.id, parse_settings(setting), actor=ACTOR)
    Console().print_json(data=changed.policy)
    for words in warnings_of(changed):
        Console(stderr=True).print(t(words), style="yellow", markup=False)


@projects_app.command("delete")
def delete(
    project: Annotated[str, typer.Argument(help="name or id")],
    confirm: ConfirmOption = None,
    label_studio: Annotated[
        bool,
        typer.Option(
            "--label-studio/--keep-label-studio", help="delete its project in Label Studio, too"
        ),
    ] = False,
) -> None:
    """Delete a project with its tasks, answers, decisions and models; the records stay."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.removal.service import Removals

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        lost = Removals(session, services).of_project(found)
    name = ask_for_name(found.name, lost, confirm)
    with services.database.transaction() as session:
        Removals(session, services).delete_project(
            found.id,
            confirmed=name,
            label_studio="delete" if label_studio else "keep",
            actor=ACTOR,
        )
    said = t("Project '{project}' is deleted; the worker deletes its files.", project=found.name)
    Console().print(said, markup=False)


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """``KEY=VALUE`` pairs as policy changes; values are JSON where they can be.

    Raises:
        InvalidInput: a pair without ``=`` or an unknown key.
    """
    changes: dict[str, Any] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or key not in LoopPolicy.model_fields:
            raise InvalidInput(
                Message("{pair!r} is not a policy setting.", pair=pair),
                field="--set",
                value=pair,
                remedy=Message(
                    "Write KEY=VALUE with one of: {settings}.",
                    settings=list(LoopPolicy.model_fields),
                ),
            )
        try:
            changes[key] = json.loads(value)
        except json.JSONDecodeError:
            changes[key] = value
    return changes
