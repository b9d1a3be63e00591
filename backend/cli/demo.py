"""``assay demo``: the loop on real parts; on records of one's own, up to the first batch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli.addresses import (
    print_addresses,
    print_differences,
    print_line,
    print_logins,
)
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
    simulate: Annotated[
        bool,
        typer.Option("--simulate", help="simulated people answer about --data too, to watch"),
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="of --data, e.g. gb18030; empty: UTF-8")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="rounds to label")] = 3,
    batch_size: Annotated[int, typer.Option(min=4, help="records a round")] = 60,
    records: Annotated[int, typer.Option(min=50, help="how many records to generate")] = 1200,
    seed: Annotated[int, typer.Option(help="of the records, the loop and the annotators")] = 7,
) -> None:
    """Start everything, import, turn three rounds of the loop, and leave it running.

    Simulated annotators answer through Label Studio's API as users of their own. On your own
    records (--data) nobody is simulated unless --simulate says so: the first batch is pushed for
    people to label. A second run resumes where the first one ended; nothing is done twice.
    """
    from backend.cli.progress import ProgressBar
    from backend.cli.stack import embedded_stack
    from backend.core.data_directory import ensure_data_directory
    from backend.core.services import Services
    from backend.demo import source as sources
    from backend.demo.run import DemoRun
    from backend.embedded.logins import annotator_password

    console = Console()
    _check_options(data, label_schema, id_column, encoding)
    stack = embedded_stack()
    ensure_data_directory(stack.data_dir)
    folder = stack.data_dir / "demo"
    if data is None:
        source = sources.generate_source(folder, records, seed)
    elif data.is_dir():
        source = sources.paired_tables(data, folder, is_simulated=simulate)
    else:
        source = sources.own_file(data, label_schema, id_column, encoding, is_simulated=simulate)
    with ProgressBar(t("Starting"), is_transient=False) as bar:
        running = stack.up(bar)
    print_differences(console, running.differences)
    run = DemoRun(
        Services.from_settings(running.settings),
        source,
        annotator_password=annotator_password(stack.data_dir),
        seed=seed,
    )
    with ProgressBar(t("Importing"), is_transient=False) as bar:
        run.import_records(bar)
    run.create_project(batch_size=batch_size)
    if source.truth is None:
        _leave_to_people(console, run)
    else:
        console.print(
            t(
                "Simulated annotators are near to: {truth_comes_from}.",
                truth_comes_from=source.truth.comes_from,
            )
        )
        _simulate(console, run, rounds, folder)
    print_line(console, t("Project"), run.project_url())
    print_line(console, t("Review desk"), run.review_url())
    print_addresses(console, running.settings)
    print_logins(console, stack.data_dir)
    console.print(
        t("Stop with `make stop`; `make demo` goes on from here; `make reset` deletes all.")
    )


def _simulate(console: Console, run: "DemoRun", rounds: int, folder: Path) -> None:
    from backend.cli.progress import ProgressBar

    for number in range(1, rounds + 1):
        with ProgressBar(t("Round {number}", number=number), is_transient=False) as bar:
            if not run.turn(number, bar):
                console.print(t("The pool is empty: every record is labelled."))
                break
    with ProgressBar(t("Batch {rounds}, for you", rounds=rounds + 1), is_transient=False) as bar:
        run.await_batch(rounds + 1, bar)
    console.print(rounds_table(run.rounds()))
    console.print()
    picture = run.draw_learning_curve(folder / "learning-curve.png", translator(command_language()))
    print_line(console, t("Learning curve"), picture)
    print_line(console, t("Label here"), run.labelling_url())
    print_line(console, t("Simulated annotators"), ", ".join(run.annotator_emails()))
    print_line(console, t("Their password"), run.annotator_password)


def _leave_to_people(console: Console, run: "DemoRun") -> None:
    from backend.cli.progress import ProgressBar

    with ProgressBar(t("First batch"), is_transient=False) as bar:
        run.await_batch(1, bar)
    console.print(
        t(
            "Nobody is simulated: the answers are yours. Open the address below and log in to "
            "Label Studio; it asks about one record after the other. Once a batch is answered, the "
            "classifier learns from it and the next one appears. Others sign up through the "
            "invitation."
        )
    )
    console.print()
    print_line(console, t("Label here"), run.labelling_url())
    print_line(console, t("Invitation"), run.invitation_url())


def _check_options(
    data: Path | None, label_schema: Path | None, id_column: str | None, encoding: str | None
) -> None:
    """
    Raises:
        InvalidInput: an option for a file of one's own without such a file, or there is no such
            file.
    """
    if data is not None and not data.exists():
        raise InvalidInput(
            Message("There is no {file}.", file=data),
            field="--data",
            value=str(data),
            remedy=Message("Check the path; it counts from the folder where the command runs."),
        )
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
