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
from labeling.words import Words, sentences

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
    problem: Words
    remedy: Words

    @property
    def words(self) -> Words:
        """One or two sentences that begin with the place."""
        return Words(
            "{place} {problem}. {remedy}",
            place=self.place or Words("the declaration"),
            problem=self.problem,
            remedy=self.remedy,
        )

    def __str__(self) -> str:
        """In English."""
        return str(self.words)


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
            Words(
                "{path} cannot be read as a label schema: {why}. Write YAML or JSON in UTF-8.",
                path=path,
                why=why,
            )
        ) from error
    if not isinstance(declared, dict):
        raise LabelSchemaInvalid(
            Words(
                "{path} holds {kind}; a label schema is a mapping with 'grade' and 'issues', and "
                "'fields' if not all are shown.",
                path=path,
                kind=_kind(declared),
            )
        )
    return declared


def broken_rule(problem: Words, remedy: Words, *, below: str = "") -> PydanticCustomError:
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


def tell(faults: Sequence[DeclarationFault]) -> Words:
    """The sentences of all faults on one line; there is at least one."""
    return sentences([fault.words for fault in faults])


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
        return DeclarationFault(
            place, value, Words("has the key {key}", key=_show(value)), _as_text(value)
        )
    if kind == "missing":
        remedy = Words("Write {key}: with its value.", key=steps[-1])
        return DeclarationFault(place, None, Words("is missing"), remedy)
    return DeclarationFault(place, value, *_problem_and_remedy(item, steps, keys))


def _problem_and_remedy(
    item: ErrorDetails, steps: Sequence[int | str], keys: Sequence[str]
) -> tuple[Words, Words]:
    kind, value, context = item["type"], item["input"], item.get("ctx") or {}
    if kind == "extra_forbidden":
        return Words("is not a key that is known there"), _nearest(steps[-1], keys)
    if value is None:
        return Words("is empty"), Words("Write its value after it, or leave the key out.")
    if kind in _OF_SIZE:
        sizes = {"size": len(value), "most": context.get("max_length")}
        problem, remedy = _OF_SIZE[kind]
        return Words(problem.text, **sizes), Words(remedy.text, **sizes)
    wanted = _WANTED.get(kind)
    problem = Words("is {value}", value=_show(value))
    if wanted:
        problem = Words("is {value}; {wanted} is wanted", value=_show(value), wanted=wanted)
    return problem, _remedy(item, steps, keys)


A_TEXT, A_LIST, A_MAPPING = Words("a text"), Words("a list"), Words("a mapping")
_OF_SIZE = {
    "too_short": (Words("is an empty list"), Words("Name at least one.")),
    "string_too_short": (Words("is an empty text"), Words("Write at least one character.")),
    "string_too_long": (Words("has {size} characters"), Words("Write at most {most}.")),
    "string_unicode": (Words("holds half a character"), Words("Write whole ones, in UTF-8.")),
}
"""By pydantic's type of error: problem and remedy of something of the wrong size or make."""
_WANTED = {
    "string_type": A_TEXT,
    "tuple_type": A_LIST,
    "list_type": A_LIST,
    "model_type": A_MAPPING,
    "model_attributes_type": A_MAPPING,
    "dict_type": A_MAPPING,
    "mapping_type": A_MAPPING,
}
"""By pydantic's type of error: what should stand there."""


def _remedy(item: ErrorDetails, steps: Sequence[int | str], keys: Sequence[str]) -> Words:
    kind, value, context = item["type"], item["input"], item.get("ctx") or {}
    wanted = _WANTED.get(kind)
    if wanted == A_TEXT:
        return _as_text(value)
    if wanted == A_LIST:
        return Words("Write a list, such as {key}: [a, b].", key=steps[-1])
    if wanted == A_MAPPING:
        if keys:
            return Words("Write keys below it: {keys}.", keys=list(keys))
        return Words("Write key: value below it.")
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return _nearest(value, allowed)
    is_truth = kind.startswith("bool_")
    return Words("Write true or false.") if is_truth else Words("{error}.", error=item["msg"])


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


def _nearest(value: object, known: Sequence[str]) -> Words:
    near = get_close_matches(str(value), known, n=1)
    if not near:
        return Words("Known are: {known}.", known=list(known))
    return Words("Did you mean '{near}'? Known are: {known}.", near=near[0], known=list(known))


def _as_text(value: object) -> Words:
    if isinstance(value, bool):
        return Words(
            "YAML reads yes, no, on, off, true and false without quotes as that: put the text "
            'in quotes, such as "yes".'
        )
    if isinstance(value, int | float | date):
        return Words(
            'Put the text in quotes, letter by letter, such as "{value}".', value=str(value)
        )
    return Words("Write one text.")


def _kind(value: object) -> Words:
    names = {dict: A_MAPPING, list: A_LIST, str: A_TEXT, bool: Words("a truth value")}
    number = Words("a number")
    names |= {int: number, float: number, type(None): Words("nothing")}
    return names.get(type(value), Words("a {kind}", kind=type(value).__name__))


def _show(value: object) -> Words | str:
    if isinstance(value, dict | list | tuple):
        return _kind(list(value) if isinstance(value, tuple) else value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return Words("the number {value}", value=str(value))
    if isinstance(value, date):
        return Words("the date {value}", value=str(value))
    told = repr(value)
    return told if len(told) <= TOLD_OF_VALUE else f"{told[:TOLD_OF_VALUE]}…"
