"""What a deletion takes away is said, and the name of what goes is typed."""

from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli.language import t

ConfirmOption = Annotated[
    str | None, typer.Option("--confirm", help="the name once more, instead of typing it")
]


def ask_for_name(name: str, lost: BaseModel, given: str | None) -> str:
    """What was typed when asked for the name, or given with ``--confirm``; who deletes compares.

    ``lost`` is shown before.
    """
    title = Text(t("Deleting '{name}' cannot be undone", name=name))
    table = Table(t("what goes"), "", title=title)
    for key, value in lost.model_dump().items():
        shown = f"{value:,}" if isinstance(value, int) else str(value or "—")
        table.add_row(key.replace("_", " "), Text(shown))
    Console().print(table)
    return given if given is not None else str(typer.prompt(t("Type its name to delete it")))
