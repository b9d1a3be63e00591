"""``assay cells``: which fields of which records are probably wrong, and why."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.bootstrap import open_services
from backend.cli.language import ngettext, t
from backend.words import Message

COLUMNS = ("external_id", "field", "value", "probability", "is_marked", "expected", "evidence")


def cells(
    project: Annotated[str, typer.Argument(help="project name or id")],
    limit: Annotated[int, typer.Option(min=1, help="at most so many cells")] = 50,
    marked: Annotated[bool, typer.Option("--marked", help="also those that people marked")] = False,
    out: Annotated[
        Path | None, typer.Option(help="write them to this CSV or JSONL file instead")
    ] = None,
    choose: Annotated[
        int | None, typer.Option(min=1, help="name so many records worth marking next instead")
    ] = None,
    sampler: Annotated[
        str, typer.Option(help="how these are chosen: mixture, clustering or random")
    ] = "mixture",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Rank the fields that are probably wrong, from some twenty records whose faults are marked.

    Each comes with its evidence: what the other records of the table say about the value.
    """
    from backend.cli.progress import ProgressBar
    from backend.faulty_cells.service import FaultyCells
    from backend.projects.service import ProjectsService

    services = open_services()
    with services.database.reading() as session:
        found = ProjectsService(session, services.clock).find(project)
    with ProgressBar(t("reading the columns")) as bar:
        ranking = FaultyCells(services, found, progress=bar)
        if choose is not None:
            names = ranking.worth_marking(choose, sampler)
        else:
            rows = [cell.row() for cell in ranking.ranking(limit, with_marked=marked)]
    if choose is not None:
        sys.stdout.writelines(f"{name}\n" for name in names)
        return
    if out is not None:
        _write(out, rows)
        Console().print(
            ngettext(
                "{n:,} cell written to {file}.",
                "{n:,} cells written to {file}.",
                len(rows),
                file=out,
            )
        )
    elif as_json:
        sys.stdout.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif not rows:
        Console().print(t("No field is probably wrong."))
    else:
        table = Table(
            t("record"),
            t("field"),
            t("value"),
            t("probability"),
            t("by"),
            t("expected"),
            t("evidence"),
        )
        for row in rows:
            table.add_row(
                Text(row["external_id"]),
                Text(row["field"]),
                Text(row["value"] or "∅"),
                f"{row['probability']:.2f}",
                t("people") if row["is_marked"] else t("model"),
                Text(row["expected"] or ""),
                Text(row["evidence"]),
            )
        Console().print(table)
        Console().print(
            ngettext(
                "Learnt from {n:,} record that people looked at.",
                "Learnt from {n:,} records that people looked at.",
                ranking.marked_records,
            )
        )


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    """
    Raises:
        InvalidInput: neither CSV nor JSONL.
    """
    import csv

    from backend.core.exceptions import InvalidInput

    if path.suffix == ".jsonl":
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    else:
        raise InvalidInput(
            Message("{path} is neither CSV nor JSONL; name it .csv or .jsonl.", path=path.name),
            field="out",
            value=str(path),
        )
