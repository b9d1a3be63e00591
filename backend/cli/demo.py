"""``assay demo``: the whole loop on real parts, with simulated annotators."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.core.exceptions import InvalidInput
from backend.words import Message

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
    encoding: Annotated[
        str | None, typer.Option(help="of --data, e.g. gb18030; empty: UTF-8")
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
    _check_options(data, label_schema, id_column, encoding)
    stack = embedded_stack()
    folder = stack.data_dir / "demo"
    if data is None:
        source = sources.generate_source(folder, records, seed)
    elif data.is_dir():
        source = sources.paired_tables(data, folder)
    else:
        source = sources.own_file(data, label_schema, id_column, encoding)
    with ProgressBar("Starting", is_transient=False) as bar:
        settings = stack.up(bar)
    run = DemoRun(
        Services.from_settings(settings),
        source,
        annotator_password=annotator_password(stack.data_dir),
        seed=seed,
    )
    with ProgressBar("Importing", is_transient=False) as bar:
        run.import_records(bar)
    run.create_project(batch_size=batch_size)
    console.print(f"Simulated annotators are near to: {source.truth_comes_from}.")
    for number in range(1, rounds + 1):
        with ProgressBar(f"Round {number}", is_transient=False) as bar:
            if not run.turn(number, bar):
                console.print("The pool is empty: every record is labelled.")
                break
    with ProgressBar(f"Batch {rounds + 1}, for you", is_transient=False) as bar:
        run.await_batch(rounds + 1, bar)
    _show_rounds(console, run)
    picture = run.draw_learning_curve(folder / "learning-curve.png")
    credentials = logins(stack.data_dir)
    console.print()
    console.print(f"Learning curve  {picture}")
    console.print(f"Labelling page  {run.labelling_url()}")
    console.print(f"Web pages       http://{settings.host}:{settings.port}/")
    console.print(f"Review desk     {run.review_url()}")
    console.print(f"API             http://{settings.host}:{settings.port}/docs")
    for place, (email, password) in credentials.items():
        console.print(f"Login {place:<14} {email}  {password}", highlight=False)
    console.print(
        f"Annotators of the demo log in to Label Studio as {', '.join(run.annotator_emails())} "
        f"with the password {run.annotator_password}",
        highlight=False,
    )
    console.print("Stop with `make stop`; `make demo` goes on from here; `make reset` deletes all.")


def _check_options(
    data: Path | None, label_schema: Path | None, id_column: str | None, encoding: str | None
) -> None:
    """
    Raises:
        InvalidInput: an option for a file of one's own without such a file.
    """
    if data is not None and not data.is_dir():
        return
    options = {
        "--label-schema": label_schema,
        "--id-column": id_column,
        "--encoding": encoding,
    }
    for name, value in options.items():
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
        "round",
        "labels",
        "accuracy",
        "macro-F1",
        "agreement",
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
