"""A stand-in for the truth where a file has none: what a plain reading of its columns says.

Simulated annotators need something to be right or wrong about. For a file of the user's
own it is taken from the column that is named like the grade, if there is one, else from
rules: a value that is missing, or written unlike the rest of its column, or far from the
column's other numbers, is faulty; the number of faulty fields gives the grade.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from backend.demo.truth import Truth
from labeling.label_schema import LabelSchema

RARE_SHAPE = 0.02
FAR = 6.0
SAMPLE = 100_000

_RUNS = ((re.compile(r"[^\W\d_]+"), "a"), (re.compile(r"\d+"), "9"), (re.compile(r"\s+"), " "))


def shape_of(value: str) -> str:
    """The value with runs of letters, digits and spaces folded: ``AB-12`` gives ``a-9``."""
    for pattern, replacement in _RUNS:
        value = pattern.sub(replacement, value)
    return value


class RuleReference:
    """Grades records by the rules above, against the columns it has read."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], schema: LabelSchema) -> None:
        self._schema = schema
        self._shapes: dict[str, Counter[str]] = {name: Counter() for name in schema.fields}
        numbers: dict[str, list[float]] = {name: [] for name in schema.fields}
        self._rows = 0
        for row in rows:
            self._rows += 1
            for name in schema.fields:
                text = _text(row.get(name))
                self._shapes[name][shape_of(text)] += 1
                if (number := _number(text)) is not None and len(numbers[name]) < SAMPLE:
                    numbers[name].append(number)
        self._spread = {name: _spread(values) for name, values in numbers.items() if values}

    def truth(self, record_id: str, row: Mapping[str, Any]) -> Truth:
        """The truth about the record, by the grade's column or by rule."""
        faults = {name: fault for name in self._schema.fields if (fault := self._fault(name, row))}
        given = _text(row.get(self._schema.grade.name))
        grades = self._schema.grades
        by_rule = grades[min(len(faults), len(grades) - 1)]
        return Truth(
            record_id=record_id,
            grade=given if given in grades else by_rule,  # type: ignore[arg-type]
            issues=self._issues(faults.values()),
            faulty_fields=tuple(faults),
        )

    def _fault(self, name: str, row: Mapping[str, Any]) -> str | None:
        """The quality dimension that the value hurts, None if nothing seems wrong."""
        text = _text(row.get(name))
        if not text:
            is_usual = self._shapes[name][""] > 0.5 * self._rows
            return None if is_usual else "completeness"
        shapes = self._shapes[name]
        is_regular = len(shapes) <= 0.05 * self._rows
        if is_regular and shapes[shape_of(text)] < RARE_SHAPE * self._rows:
            return "validity"
        number = _number(text)
        if number is not None and name in self._spread:
            middle, width = self._spread[name]
            if width > 0 and abs(number - middle) > FAR * width:
                return "accuracy"
        return None

    def _issues(self, dimensions: Iterable[str]) -> tuple[str, ...]:
        wanted = set(dimensions)
        found: dict[str, str] = {}
        for issue in self._schema.issues:
            if issue.dimension in wanted:
                found.setdefault(issue.dimension, issue.value)
        return tuple(found.values())


def _spread(values: Sequence[float]) -> tuple[float, float]:
    array = np.asarray(values)
    middle = float(np.median(array))
    return middle, 1.4826 * float(np.median(np.abs(array - middle)))


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None
