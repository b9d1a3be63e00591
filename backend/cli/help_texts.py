"""The help of commands, translated when it is shown; its texts are those of the commands."""

from collections.abc import Iterator
from typing import Any

from backend.cli.language import t


def translate_help(command: Any) -> Any:
    """The command, its parameters and its subcommands with help in the terminal's language."""
    if command.help:
        command.help = t(command.help)
    if getattr(command, "short_help", None):
        command.short_help = t(command.short_help)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = t(parameter.help)
    for each in getattr(command, "commands", {}).values():
        translate_help(each)
    return command


def help_texts(command: Any, path: tuple[str, ...] = ("assay",)) -> Iterator[tuple[str, str]]:
    """(text, where it is) of a command and of all below it, in English."""
    if command.help:
        yield command.help, " ".join(path)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield parameter.help, f"{' '.join(path)} {parameter.name}"
    if hasattr(command, "list_commands"):
        context = command.make_context(path[-1], [], resilient_parsing=True)
        for name in command.list_commands(context):
            if command.commands[name].help:  # its line in the list, before it is loaded
                yield command.commands[name].help, " ".join((*path, name))
            loaded = command.resolve_command(context, [name])[1]
            yield from help_texts(loaded, (*path, name))
