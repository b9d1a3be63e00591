"""Whether each call that makes a message can be found and filled."""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path
from string import Formatter
from typing import IO

from jinja2 import Environment, nodes

MAKERS = {"Message": 1, "Reason": 1, "Words": 1, "N_": 1, "t": 1, "ngettext": 2}
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


def texts_in_code(
    file: IO[bytes], keywords: Collection[str], _tags: object, **_options: object
) -> Iterator[tuple[int, str, tuple[str | None, ...], list[str]]]:
    """Texts in calls of ``keywords``, nested ones too, as Babel asks an extractor for them."""
    for call in ast.walk(ast.parse(file.read())):
        name = _name_of(call.func) if isinstance(call, ast.Call) else ""
        if isinstance(call, ast.Call) and name in keywords:
            texts = tuple(
                each.value
                if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
                else None
                for each in call.args
            )
            yield call.lineno, name, texts, []


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
        texts = MAKERS.get(_name_of(call.func), 0)
        for text in call.args[:texts]:
            if isinstance(text, ast.JoinedStr | ast.BinOp):
                yield call.lineno, f"not one text: {ast.unparse(text)}"
            elif isinstance(text, ast.Constant):
                given = {each.arg for each in call.keywords}
                given |= {"n"} if len(call.args) > texts else set()
                if given and None not in given:
                    yield from _lacks(call.lineno, str(text.value), given)


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


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
