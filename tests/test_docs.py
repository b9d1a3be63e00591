"""Documentation that cannot lie: every setting and every command is in it, every link leads."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from backend.cli import app
from backend.core.settings import Settings

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "client/README.md"])


def _commands(command: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Every command that can be run, as it is typed."""
    if not hasattr(command, "list_commands"):
        return [" ".join(path)]
    context = command.make_context(path[-1] if path else "assay", [], resilient_parsing=True)
    found: list[str] = []
    for name in command.list_commands(context):
        loaded = command.resolve_command(context, [name])[1]
        found += _commands(loaded, (*path, name))
    return found


def test_every_setting_is_in_the_example_file() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    settings = {f"ASSAY_{name.upper()}" for name in Settings.model_fields}
    assert settings - documented == set()


def test_the_example_file_names_no_setting_that_is_not_there() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^(?:# )?(ASSAY_[A-Z0-9_]+)=", text, re.MULTILINE))
    settings = {f"ASSAY_{name.upper()}" for name in Settings.model_fields}
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    only_compose = {name for name in documented - settings if f"${{{name}" in compose}
    assert documented - settings - only_compose == set()


def test_the_example_file_shows_the_defaults() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^# (ASSAY_[A-Z0-9_]+)=(.+)$", text, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        if default not in (None, ()) and not isinstance(default, bool):
            value = shown[f"ASSAY_{name.upper()}"]
            assert type(default)(value) == default, f"ASSAY_{name.upper()}={value}"


def test_every_command_is_in_the_command_line_page() -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    commands = _commands(typer.main.get_command(app))
    assert {"serve", "jobs list"} <= set(commands)
    missing = [name for name in commands if f"assay {name}" not in text]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    broken = [target for target in targets if not (page.parent / target).exists()]
    assert broken == []


def test_the_readme_names_targets_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z0-9-]+)", readme))
    assert {"demo", "test"} <= named <= targets
