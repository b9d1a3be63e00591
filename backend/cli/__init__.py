"""The command line: one module per noun, over the same services as API and pages."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from active_learning.exceptions import ActiveLearningError
from backend.cli.commands import COMMANDS
from backend.cli.help_texts import translate_help
from backend.cli.language import t
from backend.cli.library_titles import TITLES
from backend.core.exceptions import AppError
from backend.words import Message
from labeling.exceptions import LabelingError


class LateGroup(TyperGroup):
    """Loads a command's module when the command is called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        translate_help(self)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if name is None or command is None:
            return name, command, rest
        return name, translate_help(load(name)), rest


def load(name: str) -> Any:
    """The command or group called ``name``, ready to run."""
    found = COMMANDS[name].command()
    holder = typer.Typer(add_completion=False)
    holder.callback()(lambda: None)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    group = typer.main.get_command(holder)
    assert isinstance(group, TyperGroup)
    return group.commands[name]


class AssayCli(typer.Typer):
    """Turns the application's errors into one line on stderr and exit code 1."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except (AppError, LabelingError, ActiveLearningError) as error:
            text = t(Message.of_error(error))
            line = t("{title}: {text}", title=_title(error), text=" ".join(text.split()))
            print(line, file=sys.stderr)  # noqa: T201 - the only last word
            raise SystemExit(1) from None


def _title(error: Exception) -> str:
    title = error.title if isinstance(error, AppError) else TITLES.get(type(error))
    return t(title or type(error).__name__)


app = AssayCli(
    name="assay",
    cls=LateGroup,
    help="Human-in-the-loop labelling and active learning for e-commerce data quality.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

for _name, _entry in COMMANDS.items():
    app.command(_name, help=_entry.help)(lambda: None)
