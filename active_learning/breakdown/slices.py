"""Parts of a sample in which a classifier is worst, without taking chance for a finding.

Every part is compared with the rest of the sample (Fisher's exact test, one-sided). Many parts are
looked at, so some look bad by chance: the p-values are adjusted for their number (Holm 1979), and
only a part below ``ALPHA`` afterwards is called worse. Small parts are not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from active_learning.columns.value_parsing import number_of, text_of
from active_learning.evaluation import Estimate, wilson

SMALLEST = 20
"""Records of a part, and of the rest. Chosen: an accuracy of .8 is then known to within .18."""
ALPHA = 0.05
"""Chance that any part at all is called worse where none is."""
NUMERIC = 0.9
"""Share of a column's values that are numbers, from which on it is cut into ranges. Chosen."""
RANGES = 3
"""Of a numeric column, with equally many records. Chosen: parts of an audit sample stay large."""
LISTED = 12
"""Parts that are told, the worst first. Chosen: what a person reads."""


@dataclass(frozen=True)
class Part:
    """Records that share a value of a column, or a range of its numbers (low <= x < high)."""

    column: str
    value: str | None = None
    """None for a range; empty for missing values."""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PartMeasures:
    """Accuracy inside one part and outside of it."""

    part: Part
    accuracy: Estimate
    rest: Estimate
    p_value: float
    """Adjusted for the number of parts that were looked at."""
    is_worse: bool


@dataclass(frozen=True)
class WorstParts:
    """The parts of lowest accuracy, and among how many they were found."""

    looked_at: int
    parts: list[PartMeasures]


def worst_parts(columns: Mapping[str, Sequence[Any]], right: NDArray[np.bool_]) -> WorstParts:
    """The parts of a sample in which fewest answers are right, worst first.

    Args:
        columns: name to n values; each value that enough records share is a part, ranges of
            numeric columns are.
        right: (n,) whether the answer was right.
    """
    found: list[tuple[Part, NDArray[np.bool_]]] = []
    seen: set[bytes] = set()
    for name, values in columns.items():
        for part, inside in _parts(name, values):
            size = int(inside.sum())
            # Two columns may part the records alike: one finding, not two.
            if SMALLEST <= size <= len(right) - SMALLEST and inside.tobytes() not in seen:
                seen.add(inside.tobytes())
                found.append((part, inside))
    adjusted = holm([_p_value(inside, right) for _, inside in found])
    measured = [
        PartMeasures(
            part,
            wilson(int(right[inside].sum()), int(inside.sum())),
            wilson(int(right[~inside].sum()), int((~inside).sum())),
            p_value,
            p_value < ALPHA,
        )
        for (part, inside), p_value in zip(found, adjusted, strict=True)
    ]
    measured.sort(key=lambda each: (not each.is_worse, each.accuracy.value, -each.accuracy.n))
    return WorstParts(
        len(measured),
        [each for each in measured if each.accuracy.value < each.rest.value][:LISTED],
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number: below alpha with chance at most alpha at all."""
    order = np.argsort(p_values, kind="stable")
    adjusted, worst = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order.tolist()):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = worst
    return adjusted


def _p_value(inside: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    """Chance of so few right answers inside, were they spread evenly."""
    hits = int(right[inside].sum())
    return float(hypergeom.cdf(hits, len(right), int(right.sum()), int(inside.sum())))


def _parts(name: str, values: Sequence[Any]) -> list[tuple[Part, NDArray[np.bool_]]]:
    texts = [text_of(value) for value in values]
    numbers = np.array(
        [np.nan if (number := number_of(text)) is None else number for text in texts]
    )
    present = sum(map(bool, texts))
    is_numeric = present > 0 and int(np.isfinite(numbers).sum()) >= NUMERIC * present
    if not is_numeric or len(set(texts)) <= RANGES:
        shared = np.array(texts, dtype=np.object_)
        return [(Part(name, text), shared == text) for text in sorted(set(texts))]
    known = numbers[np.isfinite(numbers)]
    ends = np.quantile(known, np.arange(1, RANGES) / RANGES)
    bounds: list[float | None] = [None, *sorted({float(end) for end in ends}), None]
    parts = [(Part(name, ""), np.array([not text for text in texts]))]
    for low, high in pairwise(bounds):
        inside = np.isfinite(numbers)
        if low is not None:
            inside &= numbers >= low
        if high is not None:
            inside &= numbers < high
        parts.append((Part(name, None, low, high), inside))
    return parts
