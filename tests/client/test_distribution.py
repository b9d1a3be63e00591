"""The distribution by itself: what it needs, and that it knows nothing of the server's code."""

import ast
import sys
import tomllib
from pathlib import Path

CLIENT = Path(__file__).parents[2] / "client"
OPTIONAL = {"pandas", "polars", "datasets"}


def test_it_needs_what_it_says() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {line.partition(">")[0] for line in project["dependencies"]}
    assert set(project["optional-dependencies"]) == OPTIONAL
    imported, later = set[str](), set[str]()
    for path in (CLIENT / "assay_client").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported |= {name for node in tree.body for name in _packages(node)}
        later |= {name for node in ast.walk(tree) for name in _packages(node)}
    ours = {"assay_client", *sys.stdlib_module_names}
    assert imported - ours == needed
    assert later - ours == needed | OPTIONAL


def test_it_says_that_it_is_typed() -> None:
    assert (CLIENT / "assay_client/py.typed").is_file()


def _packages(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return set()
