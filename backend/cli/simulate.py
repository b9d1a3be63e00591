"""``assay simulate``: which query strategy needs the fewest labels on a labelled file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.language import command_language, t
from backend.cli.progress import ProgressBar
from backend.core.exceptions import InvalidInput
from backend.words import Message

if TYPE_CHECKING:
    from backend.simulation.confusion import Matrix


def simulate(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or Parquet with labels; .gz is fine")],
    label: Annotated[str, typer.Option(help="column of the true label")],
    text: Annotated[
        list[str] | None, typer.Option(help="column to learn from; repeat it; none: all others")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="e.g. gb18030; none: UTF-8")] = None,
    strategies: Annotated[
        str, typer.Option(help="query strategies, with commas between; random is always run")
    ] = "default,margin",
    seeds: Annotated[int, typer.Option(help="repetitions", min=1)] = 5,
    budget: Annotated[
        int | None, typer.Option(help="labels in all; none: 500, or half of a small file", min=2)
    ] = None,
    batch: Annotated[int, typer.Option(help="labels a round", min=1)] = 25,
    initial: Annotated[int, typer.Option(help="labels of the first round", min=1)] = 25,
    noise: Annotated[
        float, typer.Option(help="share of wrong answers of an annotator", min=0, max=1)
    ] = 0.0,
    confuse: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRUE>ANSWER:SHARE",
            help='what an annotator mixes up, for example "fair>poor:0.2"; repeat it; other '
            "classes err at --noise",
        ),
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(
            help="the same as a small CSV (a row a true class, a column an answer) or JSON file"
        ),
    ] = None,
    annotators: Annotated[
        int, typer.Option(help="answers for each record; the majority counts", min=1)
    ] = 1,
    metric: Annotated[
        Literal["accuracy", "macro_f1"], typer.Option(help="score on held-out records")
    ] = "macro_f1",
    encoder: Annotated[str, typer.Option(help="auto, characters, or a model name")] = "auto",
    out: Annotated[Path, typer.Option(help="folder of results and finished runs")] = Path(
        "simulation"
    ),
    jobs: Annotated[int, typer.Option(help="processes", min=1)] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="print the results as JSON")] = False,
) -> None:
    """Simulate labelling on a labelled file, to choose a query strategy.

    Safe to interrupt: finished runs are kept below --out and not run again.
    """
    from active_learning.exceptions import UnknownStrategy
    from active_learning.query_strategies.factory import make_strategy
    from active_learning.simulation.analysis import BASELINE, analyse
    from active_learning.simulation.experiment import Plan
    from active_learning.simulation.grid import run_grid
    from active_learning.simulation.report import write_report
    from backend.simulation.confusion import as_shares
    from backend.simulation.labelled_file import embed_file, read_labelled_file
    from backend.words import language_tag, languages, translator

    notes = Console(stderr=True)
    names = [name.strip() for name in strategies.split(",") if name.strip()]
    names = list(dict.fromkeys([*names, BASELINE]))
    try:
        for name in names:
            make_strategy(name)
    except UnknownStrategy as error:
        raise InvalidInput(
            Message.of_error(error), field="--strategies", value=strategies
        ) from error
    read = read_labelled_file(file, label, text or [], encoding)
    if read.unlabelled:
        notes.print(
            t("{unlabelled:,} rows without a label are left out.", unlabelled=read.unlabelled)
        )
    if read.malformed:
        notes.print(t("{malformed:,} malformed lines are left out.", malformed=read.malformed))
    count = len(read.texts)
    wanted = budget if budget is not None else max(2, min(500, count // 2))
    available = count - max(1, round(count * Plan.test_share))
    if wanted > available:
        raise InvalidInput(
            Message(
                "{file} has {count:,} labelled rows, {available:,} of them outside "
                "the test; the budget is {wanted:,}.",
                file=file,
                count=count,
                available=available,
                wanted=wanted,
            ),
            field="--budget",
            value=wanted,
            remedy=Message("Give --budget {available} or less.", available=available),
        )
    first = min(initial, wanted) if budget is None else initial
    if first > wanted:
        raise InvalidInput(
            Message(
                "The first round of {initial} labels is above the budget of {wanted}.",
                initial=initial,
                wanted=wanted,
            ),
            field="--initial",
            value=initial,
            remedy=Message("Give --initial {wanted} or less.", wanted=wanted),
        )
    classes = sorted(set(read.labels.tolist()))
    matrix = _confusion(confuse or [], confusion, classes, noise)
    plan = Plan(
        initial=first,
        batch=batch,
        budget=wanted,
        metric=metric,
        noise=noise,
        annotators=annotators,
        confusion=matrix,
    )
    with ProgressBar(t("features")) as bar:
        data = embed_file(read, encoder, out / "embeddings", bar)
    with ProgressBar(t("simulating")) as bar:
        runs = run_grid(data, plan, names, range(seeds), out / "runs", jobs=jobs, progress=bar)
    described: dict[str, Any] = {"file": str(file), "records": count, "plan": plan.as_dict()}
    if matrix is not None:
        described["answers"] = as_shares(matrix, classes)
    result: dict[str, Any] = {**described, **analyse(runs)}
    told = dict.fromkeys((command_language(), *languages()))  # the reader's first
    paths = write_report(
        result, out, {language_tag(name): translator(name).look_up for name in told}
    )
    if as_json:
        print(json.dumps(result, ensure_ascii=False))  # noqa: T201 - what --json promises
        return
    _show(result, paths["html"])


def _show(result: dict[str, Any], html: Path) -> None:
    from active_learning.simulation.analysis import recommend
    from active_learning.simulation.report import average_words, table

    console = Console()
    shown = Table(
        t("strategy"),
        t("area"),
        t("to 90 %"),
        t("to 95 %"),
        t("against random"),
        t("above"),
        t("worst loss"),
    )
    for row in table(result):
        shown.add_row(*row)
    console.print(shown)
    console.print(t("Averages: {averages}.", averages=average_words(result)), markup=False)
    console.print(t(recommend(result["strategies"])), markup=False)
    console.print(t("Curves: {html}", html=html), markup=False)


def _confusion(
    pairs: list[str], file: Path | None, classes: list[str], noise: float
) -> "Matrix | None":
    from backend.simulation.confusion import confusion_matrix, parse_confusions, read_confusions

    if file is not None and pairs:
        raise InvalidInput(
            Message("--confuse and --confusion are both given."),
            field="--confuse",
            value=pairs[0],
            remedy=Message("Give one of them."),
        )
    if file is not None:
        return confusion_matrix(read_confusions(file), classes, noise, "--confusion")
    if pairs:
        return confusion_matrix(parse_confusions(pairs, classes), classes, noise, "--confuse")
    return None
