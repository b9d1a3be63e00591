"""``assay models``: train, list, roll back, purge; and the query strategies there are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.language import t
from backend.words import Message

if TYPE_CHECKING:
    from backend.overview.schemas import ModelVersionStatus

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
    """List the model versions of a project, all on one sample, and what became of them."""
    from backend.bootstrap import open_services
    from backend.overview.service import OverviewService
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        status = OverviewService(session, services.clock, services.settings).project(found.id)
    reasons = {row.challenger: t(row.reason_message) for row in status.promotions}
    table = Table(
        t("version"), t("labels"), t("accuracy on new records"), t("champion"), t("decision")
    )
    for version in status.versions:
        table.add_row(
            f"v{version.number}",
            f"{version.labels:,}",
            _accuracy(version),
            "●" if version.is_champion else "",
            reasons.get(version.number, ""),
        )
    versions = status.versions
    if not versions:
        Console().print(t("No model version yet: one is trained after the first labels."))
        return
    Console().print(table)


@models_app.command("export")
def export(
    project: ProjectArgument,
    to: Annotated[Path, typer.Option(help="folder that is made, or a zip where it ends in .zip")],
    number: Annotated[
        int | None, typer.Option(help="of the model version; the champion by default")
    ] = None,
) -> None:
    """Write a model version so that it can be used without store and server, with its model card.

    Load it with active_learning.portable.load_model; see the guide on learning.
    """
    from active_learning.portable.packing import write_folder, write_zip
    from backend.bootstrap import open_services
    from backend.model_reports.package import model_package
    from backend.model_reports.service import ModelReports
    from backend.projects.service import ProjectsService
    from backend.registry.service import RegistryService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        registry = RegistryService(session, services.clock)
        champion = registry.champion(found.id)
        wanted = number if number is not None else champion.number if champion else 1
        version = registry.get(found.id, wanted)
        report = ModelReports(session, services.clock).report(found, wanted)
    package = model_package(services, found, version, report)
    write = write_zip if to.suffix == ".zip" else write_folder
    write(to, package.config, package.files)
    Console(soft_wrap=True).print(
        t("Model version {number} is in {path}.", number=wanted, path=to), markup=False
    )


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


def _accuracy(version: "ModelVersionStatus") -> str:
    """On the sample of all versions, with its interval."""
    told = version.accuracy
    if told is None or told.low is None or told.high is None:
        return "—" if version.is_readable else t("cannot answer any more")
    return f"{told.value:.3f} [{told.low:.3f}, {told.high:.3f}]"
