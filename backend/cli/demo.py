"""``assay demo``: the whole loop on real parts, with simulated annotators."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli.language import command_language, t
from backend.core.exceptions import InvalidInput
from backend.words import Message, translator

if TYPE_CHECKING:
    from backend.demo.run import DemoRun


def demo(
    data: Annotated[
        Path | None,
        typer.Option(
            help="CSV, Parquet or JSONL of your own, or a folder with a dirty and a "
            "clean table; empty: generated records"
        ),
    ] = None,
    label_schema: Annotated[
        Path | None, typer.Option(help="label schema as YAML or JSON; empty: the default one")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(help="column that names each record; empty: found by itself")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="rounds to label")] = 3,
    batch_size: Annotated[int, typer.Option(min=4, help="records a round")] = 60,
    records: Annotated[int, typer.Option(min=50, help="how many records to generate")] = 1200,
    seed: Annotated[int, typer.Option(help="of the records, the loop and the annotators")] = 7,
) -> None:
    """Start everything, import, turn three rounds of the loop, and leave it running.

    Simulated annotators answer through Label Studio's API as users of their own. A second
    run resumes where the first one ended; nothing is done twice.
    """
    from backend.cli.progress import ProgressBar
    from backend.cli.stack import embedded_stack
    from backend.core.services import Services
    from backend.demo import source as sources
    from backend.demo.run import DemoRun
    from backend.embedded.logins import annotator_password, logins

    console = Console()
    _check_options(data, label_schema, id_column)
    stack = embedded_stack()
    folder = stack.data_dir / "demo"
    if data is None:
        source = sources.generate_source(folder, records, seed)
    elif data.is_dir():
        source = sources.paired_tables(data, folder)
    else:
        source = sources.own_file(data, label_schema, id_column)
    with ProgressBar(t("Starting"), is_transient=False) as bar:
        settings = stack.up(bar)
    run = DemoRun(
        Services.from_settings(settings),
        source,
        annotator_password=annotator_password(stack.data_dir),
        seed=seed,
    )
    with ProgressBar(t("Importing"), is_transient=False) as bar:
        run.import_records(bar)
    run.create_project(batch_size=batch_size)
    console.print(
        t(
            "Simulated annotators are near to: {truth_comes_from}.",
            truth_comes_from=source.truth_comes_from,
        )
    )
    for number in range(1, rounds + 1):
        with ProgressBar(t("Round {number}", number=number), is_transient=False) as bar:
            if not run.turn(number, bar):
                console.print(t("The pool is empty: every record is labelled."))
                break
    with ProgressBar(t("Batch {rounds}, for you", rounds=rounds + 1), is_transient=False) as bar:
        run.await_batch(rounds + 1, bar)
    _show_rounds(console, run)
    picture = run.draw_learning_curve(folder / "learning-curve.png", translator(command_language()))
    credentials = logins(stack.data_dir)
    console.print()
    console.print(t("Learning curve  {picture}", picture=picture))
    console.print(t("Labelling page  {labelling_url}", labelling_url=run.labelling_url()))
    console.print(
        t("Web pages       http://{host}:{port}/", host=settings.host, port=settings.port)
    )
    console.print(t("Review desk     {review_url}", review_url=run.review_url()))
    console.print(
        t("API             http://{host}:{port}/docs", host=settings.host, port=settings.port)
    )
    for place, (email, password) in credentials.items():
        console.print(
            t("Login {place:<14} {email}  {password}", place=place, email=email, password=password),
            highlight=False,
        )
    console.print(
        t(
            "Annotators of the demo log in to Label Studio as {annotator_emails} "
            "with the password {annotator_password}",
            annotator_emails=run.annotator_emails(),
            annotator_password=run.annotator_password,
        ),
        highlight=False,
    )
    console.print(
        t("Stop with `make stop`; `make demo` goes on from here; `make reset` deletes all.")
    )


def _check_options(data: Path | None, label_schema: Path | None, id_column: str | None) -> None:
    """
    Raises:
        InvalidInput: an option for a file of one's own without such a file.
    """
    if data is not None and not data.is_dir():
        return
    for name, value in (("--label-schema", label_schema), ("--id-column", id_column)):
        if value is not None:
            raise InvalidInput(
                Message("{name} {value} is for a file of your own.", name=name, value=value),
                field=name,
                value=str(value),
                remedy=Message("Give the file with --data FILE, or leave {name} out.", name=name),
            )


def _show_rounds(console: Console, run: "DemoRun") -> None:
    console.print(rounds_table(run.rounds()))


def rounds_table(rows: Sequence[tuple[str, str, str, str, str]]) -> Table:
    """Round, labels, accuracy, macro-F1 and agreement of each round, in at most 80 columns."""
    table = Table(
        t("round"),
        t("labels"),
        t("accuracy"),
        t("macro-F1"),
        t("agreement"),
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
        caption="[95 % intervals]; agreement beyond chance: Krippendorff's alpha",
        caption_justify="left",
    )
    for row in rows:
        table.add_row(*map(Text, row))
    return table
