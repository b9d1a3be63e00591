"""``assay agreement`` and ``assay annotators``: how far people agree, how well each works."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.agreement.pictures import in_words
from backend.agreement.schemas import DELETED, AgreementMeasure, AnnotatorPublic, RatePublic
from backend.cli.language import t
from backend.words import Message

if TYPE_CHECKING:
    from backend.core.services import Services

annotators_app = typer.Typer(
    help="Annotators: accuracy, speed, changes and suspicious patterns.", no_args_is_help=True
)


def _answers(number: int) -> Message:
    return Message.ngettext("{n:,} answer", "{n:,} answers", n=number)


ProjectArgument = Annotated[str, typer.Argument(help="project name or id")]
JsonOption = Annotated[bool, typer.Option("--json", help="as one JSON object")]


def agreement(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Show how far people agree beyond chance, question by question; measured if need be."""
    from backend.agreement.service import WorkReports
    from backend.projects.service import ProjectsService

    services = _measure_project(project)
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        report = WorkReports(session, services.clock).agreement(found)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
        return
    table = Table(t("question"), t("alpha"), t("ordinal"), t("Fleiss"), t("agreeing pairs"))
    for each in report.questions:
        percent = each.alpha.percent
        table.add_row(
            Text(each.title if each.kind == "grade" else f"{each.kind}: {each.title}"),
            _measure(each.alpha),
            _measure(each.ordinal) if each.ordinal else "",
            _measure(each.fleiss),
            "–" if percent is None else f"{100 * percent:.0f} %",
        )
    console = Console()
    console.print(table)
    console.print(
        t(
            "{answers} to {records}.",
            answers=_answers(report.answers),
            records=Message.ngettext("{n:,} record", "{n:,} records", n=report.records),
        )
    )
    if report.not_counted:
        console.print(
            t(
                "Not counted, without a value of the schema: {answers}.",
                answers=_answers(report.not_counted),
            )
        )
    whole = report.questions[0].alpha
    if whole.why is not None:
        console.print(t(whole.why.message))
    if report.overlap is not None and report.overlap.share_saved is not None:
        saved = report.overlap
        console.print(
            t(
                "Adaptive overlap: {answers} to {records}; {at_most} for each would "
                "be {fixed:,}: {saved:.0f} % saved.",
                answers=_answers(saved.answers),
                records=Message.ngettext(
                    "{n:,} finished record", "{n:,} finished records", n=saved.records
                ),
                at_most=saved.at_most,
                fixed=saved.fixed,
                saved=100 * (saved.share_saved or 0),
            )
        )


@annotators_app.command("list")
def list_annotators(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """List everybody's accuracy, speed, skips and what to look at; measured if need be."""
    from backend.agreement.service import WorkReports
    from backend.projects.service import ProjectsService

    services = _measure_project(project)
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        report = WorkReports(session, services.clock).annotators(found)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
        return
    if not report.items:
        Console().print(t("Nobody has answered yet."))
        return
    table = Table(
        t("id"),
        t("annotator"),
        t("answers"),
        t("decided"),
        t("hidden checks"),
        t("others"),
        t("seconds"),
        t("skipped"),
        "",
    )
    for each in report.items:
        marks: list[str] = [one.pattern for one in each.suspicions]
        if each.drift is not None and each.drift.changed:
            marks.append("changed")
        seconds = each.speed.median
        table.add_row(
            str(each.annotator_id),
            Text(_name(each)),
            f"{each.answers:,}",
            _share(each.against_gold),
            _share(each.hidden_checks),
            _share(each.against_others),
            "–" if seconds is None else f"{seconds:.1f}",
            _share(each.skip_rate),
            ", ".join(marks),
        )
    Console().print(table)
    Console().print(
        t("{decided:,} decided records. Shares with exact 95 % intervals.", decided=report.decided)
    )


@annotators_app.command("show")
def show_annotator(
    project: ProjectArgument,
    annotator: Annotated[
        str, typer.Argument(help="id, e-mail address or name; 0: not known in Label Studio")
    ],
    as_json: JsonOption = False,
) -> None:
    """Show one annotator's work with the evidence; measured if need be."""
    from backend.agreement.service import WorkReports
    from backend.projects.service import ProjectsService, label_schema_of

    services = _measure_project(project)
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        person = WorkReports(session, services.clock).find_annotator(found, annotator)
        titles = label_schema_of(found).titles("en")
    if as_json:
        typer.echo(person.model_dump_json(indent=2))
        return
    console = Console()
    console.print(
        Text(
            t(
                "{name}: {answers}, {skips:,} skipped.",
                name=_name(person),
                answers=_answers(person.answers),
                skips=person.skips,
            )
        )
    )
    for caption, share in (
        (t("right, decided records"), person.against_gold),
        (t("right, hidden checks"), person.hidden_checks),
        (t("same as the others"), person.against_others),
    ):
        text = t(share.why.message) if share.why else in_words(share, as_percent=True)
        console.print(f"{caption}: {text}", markup=False)
    if person.speed.median is not None:
        console.print(t("seconds an answer: {median:.1f} (median)", median=person.speed.median))
    if person.drift is not None:
        console.print(t(person.drift.words.message), markup=False)
    for each in person.suspicions:
        console.print(f"{each.pattern}: {t(each.evidence.message)}", markup=False)
    confusion = person.gold_confusion if person.against_gold.of else person.others_confusion
    table = Table(t("right is"), *(f"answered {titles.grade(name)}" for name in confusion.classes))
    for name, row in zip(confusion.classes, confusion.table, strict=True):
        table.add_row(Text(titles.grade(name)), *(f"{count:,}" for count in row))
    console.print(table)


def _measure_project(project: str) -> "Services":
    """The project's report is of the answers that there are now."""
    from backend.agreement.measuring import measure
    from backend.bootstrap import open_services
    from backend.cli.progress import ProgressBar
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
    with ProgressBar(t("measuring")) as bar:
        measure(services, found.id, bar)
    return services


def _name(person: AnnotatorPublic) -> str:
    return "not known in Label Studio" if person.annotator_id == DELETED else person.name


def _measure(each: AgreementMeasure) -> Text:
    return Text(in_words(each))


def _share(each: RatePublic) -> Text:
    return Text(in_words(each, as_percent=True))
