"""No page, and no message that a page shows, tells anybody to type a command."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from backend.web.rendering import HERE
from backend.words import SOURCE_LANGUAGE, languages
from backend.words.catalogue import catalogue

ROOT = HERE.parents[1]
COMMAND = re.compile(r"\bassay [a-z]|<code>make ")
OFF_THE_PAGES = {
    "backend/cli": "the command line itself",
    "backend/demo": "run from the command line",
    "backend/embedded": "starts and stops the processes",
    "backend/integrity": "`assay verify`",
    "backend/core/migrations.py": "stops the start of a process",
    "backend/jobs/worker_lock.py": "stops the start of a worker",
    "active_learning/simulation": "the report of `assay simulate`",
}


def _texts(path: Path) -> Iterator[str]:
    """The text of the file's constants, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def test_no_template_names_a_command() -> None:
    templates = list((HERE / "templates").rglob("*.html"))
    assert len(templates) > 20
    named = [path.name for path in templates if COMMAND.search(path.read_text(encoding="utf-8"))]
    assert named == []


def test_no_translation_names_a_command_that_its_text_does_not() -> None:
    for language in set(languages()) - {SOURCE_LANGUAGE}:
        for entry in catalogue(language):
            if COMMAND.search(str(entry.string)):
                assert COMMAND.search(str(entry.id)), entry.id


def test_no_message_names_a_command() -> None:
    files = [
        path.relative_to(ROOT)
        for package in ("active_learning", "labeling", "backend")
        for path in (ROOT / package).rglob("*.py")
    ]
    assert len(files) > 300
    found = [
        f"{path}: {text}"
        for path in files
        if not any(str(path).startswith(place) for place in OFF_THE_PAGES)
        for text in _texts(ROOT / path)
        if COMMAND.search(text)
    ]
    assert found == []
