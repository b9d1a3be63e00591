"""``assay review``: cases where people or classifier disagree."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.language import ngettext, t
from backend.words import Message

if TYPE_CHECKING:
    from backend.review.schemas import CaseSummary
    from labeling.label_schema import Titles

review_app = typer.Typer(
    help="The review desk: records that need a decision.", no_args_is_help=True
)

ProjectArgument = Annotated[str, typer.Argument(help="project name or id")]


@review_app.command("list")
def list_cases(
    project: ProjectArgument,
    state: Annotated[
        str, typer.Option(help="open, sent_back, decided, ambiguous, settled, or all")
    ] = "open",
    reason: Annotated[
        str | None, typer.Option(help="such as tie, model_conflict or issue:duplicate")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="cases to show")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List cases, those first whose decision is worth most."""
    from pydantic import ValidationError

    from backend.bootstrap import open_services
    from backend.core.exceptions import InvalidInput
    from backend.projects.service import ProjectsService, label_schema_of
    from backend.review.schemas import CaseFilter
    from backend.review.service import ReviewDesk
    from backend.review.triage import REASONS

    try:
        wanted = CaseFilter.model_validate(
            {"state": None if state == "all" else state, "reason": reason}
        )
    except ValidationError as error:
        raise InvalidInput(
            Message("There is no state {state!r}.", state=state),
            field="state",
            value=state,
            remedy=Message("Use open, sent_back, decided, ambiguous, settled or all."),
        ) from error
    if reason is not None and reason not in REASONS and not reason.startswith(("issue:", "field:")):
        raise InvalidInput(
            Message("There is no reason {reason!r}.", reason=reason),
            field="reason",
            value=reason,
            remedy=Message("Use {reasons}, issue:NAME or field:NAME.", reasons=REASONS),
        )
    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
        titles = label_schema_of(found).titles("en")
        page = ReviewDesk(session, services.clock).page(found, wanted, limit=limit)
    if as_json:
        typer.echo(page.model_dump_json())
        return
    table = Table(
        t("case"), t("record"), t("state"), t("worth"), t("consensus"), t("votes"), t("why")
    )
    for case in page.items:
        table.add_row(
            str(case.id),
            case.external_id,
            case.state,
            f"{case.priority:.2f}",
            consensus_words(case, titles),
            str(case.votes),
            " ".join(t(ground.reason_message) for ground in case.grounds),
        )
    if page.items:
        Console().print(table)
    Console().print(
        ngettext(
            "{n:,} case, {shown} shown.",
            "{n:,} cases, {shown} shown.",
            page.total,
            shown=len(page.items),
        )
    )


@review_app.command("refresh")
def refresh(project: ProjectArgument) -> None:
    """Bring consensus labels and cases up to date; new answers do it by themselves."""
    from backend.bootstrap import open_services
    from backend.projects.service import ProjectsService
    from backend.review.refreshing import refresh_desk

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
    done = refresh_desk(services, found.id, is_full=True)
    typer.echo(
        ngettext(
            "{n:,} consensus label changed; cases: {opened:,} opened, {reopened:,} open again, "
            "{changed:,} changed, {settled:,} settled.",
            "{n:,} consensus labels changed; cases: {opened:,} opened, {reopened:,} open again, "
            "{changed:,} changed, {settled:,} settled.",
            done.consensus_labels,
            opened=done.opened,
            reopened=done.reopened,
            changed=done.changed,
            settled=done.settled,
        )
    )


def consensus_words(case: "CaseSummary", titles: "Titles") -> str:
    """The consensus and how sure it is, where that is known."""
    if case.grade is None:
        return "tie" if case.votes > 1 else ""
    title = titles.grade(case.grade)
    return title if case.confidence is None else f"{title} {case.confidence:.0%}"
