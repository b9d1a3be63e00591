"""Declarations in YAML or JSON: read as they stand, and each of their faults told in a sentence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from labeling.exceptions import LabelSchemaInvalid

RULE = "rule"
"""Type of the errors that ``broken_rule`` makes."""
FOLLOWS = "default_factory_not_called"
"""What pydantic says of a default that depends on a part which is wrong itself."""
KEY = "[key]"
"""What pydantic adds to the place of a key that is wrong itself."""
TOLD_OF_VALUE = 60
"""Characters of a wrong value that a sentence repeats. Chosen: the sentence stays readable."""


@dataclass(frozen=True)
class DeclarationFault:
    """One thing that is wrong: ``place`` is such as ``grade.choices[3].value``, empty for all."""

    place: str
    value: object
    problem: str
    remedy: str

    def __str__(self) -> str:
        """One or two sentences that begin with the place."""
        return f"{self.place or 'the declaration'} {self.problem}. {self.remedy}"


def read_declaration(path: Path) -> dict[str, Any]:
    """What a YAML or JSON file declares, not checked yet.

    Raises:
        LabelSchemaInvalid: the file cannot be read, or holds something else than a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        declared = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or error  # without the path once more
        raise LabelSchemaInvalid(
            f"{path} cannot be read as a label schema: {why}. Write YAML or JSON in UTF-8."
        ) from error
    if not isinstance(declared, dict):
        raise LabelSchemaInvalid(
            f"{path} holds {_kind(declared)}; a label schema is a mapping with "
            "'grade' and 'issues', and 'fields' if not all are shown."
        )
    return declared


def broken_rule(problem: str, remedy: str, *, below: str = "") -> PydanticCustomError:
    """An error of a validator whose words ``faults_of`` tells as they are.

    Args:
        problem: goes on after the place, such as ``is blank``.
        remedy: a sentence.
        below: the rest of the place, below the one that is validated.
    """
    told = {"problem": problem, "remedy": remedy, "below": below}
    return PydanticCustomError(RULE, "{problem}. {remedy}", told)


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[DeclarationFault]:
    """What is wrong with a declaration of ``model``, in the order of its parts."""
    told = [
        _fault(item, model)
        for item in error.errors(include_url=False)
        if item["type"] != FOLLOWS and not _is_of_another_form(item)
    ]
    # Of a choice between forms each form has its own complaint; one of a place is enough.
    return list({fault.place: fault for fault in reversed(told)}.values())[::-1]


def tell(faults: Sequence[DeclarationFault]) -> str:
    """The sentences of all faults on one line."""
    return " ".join(map(str, faults))


def _is_of_another_form(item: ErrorDetails) -> bool:
    """A mapping is no attempt at one of a few words."""
    return item["type"] == "literal_error" and isinstance(item["input"], Mapping)


def _fault(item: ErrorDetails, model: type[BaseModel]) -> DeclarationFault:
    kind, value, context = item["type"], item["input"], item.get("ctx") or {}
    steps, keys = _walk(item["loc"], model)
    place = _place(steps)
    if kind == RULE:
        place = _join(place, context["below"])
        return DeclarationFault(place, value, context["problem"], context["remedy"])
    if KEY in item["loc"]:
        return DeclarationFault(place, value, f"has the key {_show(value)}", _as_text(value))
    if kind in ("extra_forbidden", "missing"):
        is_missing = kind == "missing"
        problem = "is missing" if is_missing else "is not a key that is known there"
        remedy = f"Write {steps[-1]}: with its value." if is_missing else _nearest(steps[-1], keys)
        return DeclarationFault(place, None if is_missing else value, problem, remedy)
    if value is None:
        remedy = "Write its value after it, or leave the key out."
        return DeclarationFault(place, value, "is empty", remedy)
    words = _OF_SIZE.get(kind)
    if words:
        problem, remedy = (text.format(size=len(value), **context) for text in words)
        return DeclarationFault(place, value, problem, remedy)
    wanted = _WANTED.get(kind)
    problem = f"is {_show(value)}{f'; {wanted} is wanted' if wanted else ''}"
    return DeclarationFault(place, value, problem, _remedy(item, steps, keys))


_OF_SIZE = {
    "too_short": ("is an empty list", "Name at least one."),
    "string_too_short": ("is an empty text", "Write at least one character."),
    "string_too_long": ("has {size} characters", "Write at most {max_length}."),
    "string_unicode": ("holds half a character", "Write whole ones, in UTF-8."),
}
"""By pydantic's type of error: problem and remedy of something of the wrong size or make."""
_WANTED = {
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
}
"""By pydantic's type of error: what should stand there."""


def _remedy(item: ErrorDetails, steps: Sequence[int | str], keys: Sequence[str]) -> str:
    kind, value, context = item["type"], item["input"], item.get("ctx") or {}
    wanted = _WANTED.get(kind)
    if wanted == "a text":
        return _as_text(value)
    if wanted == "a list":
        return f"Write a list, such as {steps[-1]}: [a, b]."
    if wanted == "a mapping":
        return f"Write keys below it: {', '.join(keys)}." if keys else "Write key: value below it."
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return _nearest(value, allowed)
    return "Write true or false." if kind.startswith("bool_") else f"{item['msg']}."


def _walk(
    location: Sequence[int | str], model: type[BaseModel]
) -> tuple[list[int | str], list[str]]:
    """The steps that the declaration knows, and the keys known where the last one stands.

    Pydantic's own steps (which form of several it tried) are left out.
    """
    steps: list[int | str] = []
    kind: Any = model
    keys = list(model.model_fields)
    for step in location:
        if step == KEY:
            return steps[:-1], []
        if isinstance(step, int):
            steps.append(step)
            kind = _element(kind)
        elif _is_model(kind):
            steps.append(step)
            keys = list(kind.model_fields)
            kind = _only_form(kind.model_fields[step].annotation) if step in keys else None
        elif _origin_is(kind, Mapping):
            steps.append(step)
            kind = get_args(kind)[1]
        elif kind is None:
            steps.append(step)
        else:
            # The name of a form, or ``function-after[check(), ControlMeaning]``.
            models = [each for each in _forms(kind) if _is_model(each)]
            kind = next((each for each in models if each.__name__ in step), kind)
    if _origin_is(kind, Mapping):
        return steps, []
    return steps, list(kind.model_fields) if _is_model(kind) else keys


def _element(kind: Any) -> Any:
    for form in _forms(kind):
        if get_origin(form) in (tuple, list):
            return get_args(form)[0]
    return None


def _forms(kind: Any) -> list[Any]:
    if get_origin(kind) in (Union, UnionType):
        return [form for form in get_args(kind) if form is not type(None)]
    return [kind]


def _only_form(kind: Any) -> Any:
    forms = _forms(kind)
    return forms[0] if len(forms) == 1 else kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _origin_is(kind: Any, wanted: type) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, wanted)


def _place(steps: Sequence[int | str]) -> str:
    place = ""
    for step in steps:
        place = _join(place, f"[{step}]" if isinstance(step, int) else step)
    return place


def _join(place: str, rest: str) -> str:
    return f"{place}{'.' if place and rest and not rest.startswith('[') else ''}{rest}"


def _nearest(value: object, known: Sequence[str]) -> str:
    near = get_close_matches(str(value), known, n=1)
    listed = ", ".join(known)
    return f"Did you mean '{near[0]}'? Known are: {listed}." if near else f"Known are: {listed}."


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return (
            "YAML reads yes, no, on, off, true and false without quotes as that: put the text "
            'in quotes, such as "yes".'
        )
    if isinstance(value, int | float | date):
        return f'Put the text in quotes, letter by letter, such as "{value}".'
    return "Write one text."


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "a truth value"}
    names |= {int: "a number", float: "a number", type(None): "nothing"}
    return names.get(type(value), f"a {type(value).__name__}")


def _show(value: object) -> str:
    if isinstance(value, dict | list | tuple):
        return _kind(list(value) if isinstance(value, tuple) else value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, date):
        return f"the date {value}"
    told = repr(value)
    return told if len(told) <= TOLD_OF_VALUE else f"{told[:TOLD_OF_VALUE]}…"
