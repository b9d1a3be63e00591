"""Examples in docstrings are run."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parent.parent
WITH_EXAMPLES = [
    ".".join(path.relative_to(root).with_suffix("").parts)
    for root, package in (
        (ROOT, "active_learning"),
        (ROOT, "labeling"),
        (ROOT, "backend"),
        (ROOT / "client", "assay_client"),
    )
    for path in sorted((root / package).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed


ARRAYS = re.compile(
    r"\b(NDArray|Features|FeatureRows|Embeddings|Probabilities|Scores|Marks|Positions"
    r"|CellFeatures|Matrix|Grid|Rows|Vectors|Answers|Table|Codes)\b"
)
"""Names of array types in annotations, those of ``active_learning.types`` among them."""
_AXIS = r"(?:\.\.\.|[A-Za-z0-9][\w.]*(?:\(\w+\))?|len\(\w+\))(?: [*+-] \w+)*"
SHAPE = re.compile(rf"\({_AXIS},(?: {_AXIS},)*(?: {_AXIS})?\)")
"""``(n,)``, ``(n, classes)``, ``(..., k * k)``."""
SHAPELESS = {
    "to_arrays": "what is saved: arrays of many shapes, which only from_arrays reads",
    "from_arrays": "what to_arrays saved",
    "array_on_its_way": "an array of any shape",
}


def _functions_of_arrays(root: str) -> Iterator[tuple[str, str]]:
    """Name and docstring of every public function and method that takes or returns an array.

    A method adds only what is its own where a base class, or a protocol beside it, states shapes.
    """
    for folder in {path.parent for path in (ROOT / root).rglob("*.py")}:
        trees = {path: ast.parse(path.read_text("utf-8")) for path in folder.glob("*.py")}
        classes = [
            (path, one) for path, tree in trees.items() for one in tree.body if _is_class(one)
        ]
        stated = {(one.name, method) for _, one in classes for method in _stating(one)}
        protocols = {one.name for _, one in classes if "Protocol" in map(ast.unparse, one.bases)}
        owners: list[tuple[Path, ast.Module | ast.ClassDef]] = [*trees.items(), *classes]
        for path, owner in owners:
            sources = (
                protocols | set(map(ast.unparse, owner.bases))
                if isinstance(owner, ast.ClassDef)
                else set()
            )
            for node in owner.body:
                if (
                    isinstance(node, ast.FunctionDef)
                    and not node.name.startswith("_")
                    and node.name not in SHAPELESS
                    and ARRAYS.search(_types(node))
                    and not any((source, node.name) in stated for source in sources)
                ):
                    where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                    yield where, ast.get_docstring(node) or ""


def _types(node: ast.FunctionDef) -> str:
    """Annotations of its parameters and of what it returns."""
    asked = [one.annotation for one in ast.walk(node.args) if isinstance(one, ast.arg)]
    return " ".join(ast.unparse(one) for one in [*asked, node.returns] if one)


def _is_class(node: ast.stmt) -> TypeGuard[ast.ClassDef]:
    """Whether it is a public class."""
    return isinstance(node, ast.ClassDef) and not node.name.startswith("_")


def _stating(owner: ast.ClassDef) -> list[str]:
    """Methods whose docstrings state a shape."""
    methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
    return [one.name for one in methods if SHAPE.search(ast.get_docstring(one) or "")]


@pytest.mark.parametrize("root", ["active_learning", "labeling"])
def test_array_functions_state_shapes(root: str) -> None:
    functions = list(_functions_of_arrays(root))
    assert functions
    assert [where for where, words in functions if not SHAPE.search(words)] == []
