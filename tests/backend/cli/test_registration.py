"""A command that is written can be called: its module cannot be forgotten in silence."""

import ast
import importlib
from pathlib import Path

import pytest
import typer

import backend.cli
from backend.cli import COMMANDS, load

FOLDER = Path(backend.cli.__file__).parent
NO_COMMANDS = {
    "__init__",
    "__main__",
    "addresses",
    "commands",
    "confirmation",
    "help_texts",
    "language",
    "library_titles",
    "progress",
}
"""What the commands are made of."""
MODULES = sorted({path.stem for path in FOLDER.glob("*.py")} - NO_COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_list_loads(name: str) -> None:
    assert load(name).name == name


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_registered_command(module: str) -> None:
    registered = [entry.command() for entry in COMMANDS.values()]
    found = vars(importlib.import_module(f"backend.cli.{module}"))
    groups = [each for each in found.values() if isinstance(each, typer.Typer)]
    ours = [each for each in registered if getattr(each, "__module__", "").endswith(f".{module}")]
    assert groups or ours
    assert [each for each in groups if not any(each is other for other in registered)] == []


def test_no_module_is_looked_for_by_its_name() -> None:
    for path in (FOLDER.parent / "app.py", *FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not {"import_module", "find_spec"} & names, path.name
