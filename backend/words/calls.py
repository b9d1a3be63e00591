"""Whether each call that makes a message can be found and filled."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from jinja2 import Environment, nodes

MAKERS = {"Message": 1, "N_": 1, "ngettext": 2, "counted": 2}
"""How many texts come first."""
PAGE_MAKERS = {"_": 1, "ngettext": 2}
SOURCES = ("backend", "active_learning", "labeling")


def faults_of_calls(root: Path) -> Iterator[str]:
    """A line for each text that is put together of parts, and for each value that a text lacks."""
    for package in SOURCES:
        for path in sorted((root / package).rglob("*.py")):
            for line, fault in _in_code(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(root)}:{line}: {fault}"
    environment = Environment(extensions=["jinja2.ext.i18n"])
    for path in sorted((root / "backend").rglob("*.html")):
        for line, fault in _in_page(environment.parse(path.read_text(encoding="utf-8"))):
            yield f"{path.relative_to(root)}:{line}: {fault}"


def places_of(text: str) -> set[str]:
    """The names that stand in braces."""
    try:
        return {name for _before, name, _spec, _how in Formatter().parse(text) if name is not None}
    except ValueError:
        return set()


def _in_code(code: str) -> Iterator[tuple[int, str]]:
    for call in ast.walk(ast.parse(code)):
        if not isinstance(call, ast.Call):
            continue
        texts = MAKERS.get(ast.unparse(call.func).rpartition(".")[2], 0)
        for text in call.args[:texts]:
            if isinstance(text, ast.JoinedStr | ast.BinOp):
                yield call.lineno, f"not one text: {ast.unparse(text)}"
            elif isinstance(text, ast.Constant):
                given = {each.arg for each in call.keywords}
                if given and None not in given:
                    yield from _lacks(call.lineno, str(text.value), given)


def _in_page(page: nodes.Template) -> Iterator[tuple[int, str]]:
    for call in page.find_all(nodes.Call):
        texts = PAGE_MAKERS.get(call.node.name, 0) if isinstance(call.node, nodes.Name) else 0
        if call.dyn_kwargs is not None:
            continue
        given = {each.key for each in call.kwargs} | ({"n"} if texts == 2 else set())
        for text in call.args[:texts]:
            if isinstance(text, nodes.Const):
                yield from _lacks(call.lineno, str(text.value), given)


def _lacks(line: int, text: str, given: set[str | None] | set[str]) -> Iterator[tuple[int, str]]:
    for name in sorted(places_of(text) - given):
        yield line, f"no value for {{{name}}} in {text!r}"
