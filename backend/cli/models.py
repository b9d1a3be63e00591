"""``assay models``: train, list, roll back, purge; and the query strategies there are."""

from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.language import t
from backend.words import Message

models_app = typer.Typer(help="Model versions: train, list, roll back.", no_args_is_help=True)

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
    Console().print(t("Queued as {job_id}. Follow it with: assay status", job_id=job_id))


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
    Console().print(t("Queued as {job_id}. Follow it with: assay status", job_id=job_id))


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
        versions = registry.list_versions(found.id)
        champion = registry.champion(found.id)
        reasons = {row.challenger_id: t(row.reason) for row in registry.list_promotions(found.id)}
    table = Table(
        t("version"), t("labels"), t("accuracy on new records"), t("champion"), t("decision")
    )
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
        Console().print(t("No model version yet: one is trained after the first labels."))
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
            found.id, number, reason=reason, actor=ACTOR
        )
    Console().print(t("Model version {number} is champion again.", number=number))


@models_app.command("purge")
def purge(
    keep: Annotated[
        int, typer.Option(min=1, help="newest versions a project that keep their encoder")
    ] = 10,
    upload_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="days that an upload stays after its import; none: ASSAY_UPLOADS_RETENTION_DAYS",
        ),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="delete them; else only list")] = False,
) -> None:
    """List files that nothing needs: encoders of no champion, imported uploads; --delete them.

    A worker deletes them once a day, with the default options. The encoder of every version that
    ever was champion stays, so a rollback to it stays possible.
    """
    from backend.bootstrap import open_services
    from backend.ingestion.uploads import purge_uploads
    from backend.training.purging import purge_encoders

    services = open_services()
    days = services.settings.uploads_retention_days if upload_days is None else upload_days
    found = [
        *purge_encoders(services, keep=keep, is_dry=not delete),
        *purge_uploads(services, days=days, is_dry=not delete),
    ]
    for one in found:
        Console(soft_wrap=True).print(
            t("{bytes:>15,} bytes  {what}: {path}", bytes=one.bytes, what=one.what, path=one.path),
            markup=False,
        )
    total = Message.ngettext(
        "{n} folder, {bytes:,} bytes",
        "{n} folders, {bytes:,} bytes",
        n=len(found),
        bytes=sum(one.bytes for one in found),
    )
    Console().print(
        t("Deleted: {total}.", total=total)
        if delete
        else t("Would be deleted with --delete: {total}.", total=total)
    )


@models_app.command("strategies")
def strategies() -> None:
    """List the query strategies that a policy can name, and which records each chooses."""
    from active_learning.query_strategies.factory import strategy_names, strategy_purpose

    names = strategy_names()
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:<{width}}  {strategy_purpose(name)}")
