"""``assay models``: train, list, roll back; and the query strategies there are."""

from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

models_app = typer.Typer(help="Model versions: train, list, roll back.")

ACTOR = "cli"
LabelWeights = Literal["none", "value"]
ProjectArgument = Annotated[str, typer.Argument(help="project name or id")]


@models_app.command("train")
def train(
    project: ProjectArgument,
    weights: Annotated[
        LabelWeights | None,
        typer.Option(
            help="none: all labels count alike; value: each by the probability that it is right; "
            "by default as the policy's label_weights says"
        ),
    ] = None,
) -> None:
    """Queue a retraining on the labels of now; a worker runs it."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.training.service import TrainingService

    services = open_services()
    with services.database.transaction() as session:
        found = ProjectsService(session, services.clock).find(project)
        job_id = TrainingService(session, services.clock).request_retraining(
            found, actor=ACTOR, weights=weights
        )
    Console().print(f"Queued as {job_id}. Follow it with: assay status")


@models_app.command("next-batch")
def next_batch(project: ProjectArgument) -> None:
    """Queue the choice of the next batch; also starts the loop of a new project."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.training.service import TrainingService

    services = open_services()
    with services.database.transaction() as session:
        found = ProjectsService(session, services.clock).find(project)
        job_id = TrainingService(session, services.clock).request_batch(found, actor=ACTOR)
    Console().print(f"Queued as {job_id}. Follow it with: assay status")


@models_app.command("list")
def list_models(project: ProjectArgument) -> None:
    """List the model versions of a project and what became of them."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.registry.service import RegistryService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        registry = RegistryService(session, services.clock)
        versions = registry.list_versions(found.id or 0)
        champion = registry.champion(found.id or 0)
        reasons = {row.challenger_id: row.reason for row in registry.list_promotions(found.id or 0)}
    table = Table("version", "labels", "accuracy on the audit sample", "champion", "decision")
    for version in versions:
        accuracy = version.metrics.get("audit_accuracy")
        table.add_row(
            f"v{version.number}",
            f"{version.training_labels} + {version.audit_labels} audit",
            "{value:.3f} [{low:.3f}, {high:.3f}]".format(**accuracy) if accuracy else "—",
            "●" if champion and champion.id == version.id else "",
            reasons.get(version.id, ""),
        )
    if not versions:
        Console().print("No model version yet: one is trained after the first labels.")
        return
    Console().print(table)


@models_app.command("rollback")
def rollback(
    project: ProjectArgument,
    number: Annotated[int, typer.Argument(help="number of the version to go back to")],
    reason: Annotated[str, typer.Option(help="why; kept for ever")],
) -> None:
    """Make an earlier model version champion again."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.registry.service import RegistryService

    services = open_services()
    with services.database.transaction() as session:
        found = ProjectsService(session, services.clock).find(project)
        RegistryService(session, services.clock).rollback(
            found.id or 0, number, reason=reason, actor=ACTOR
        )
    Console().print(f"Model version {number} is champion again.")


@models_app.command("strategies")
def strategies() -> None:
    """List the query strategies that a policy can name."""
    from active_learning.query_strategies.factory import strategy_names

    for name in strategy_names():
        typer.echo(name)
