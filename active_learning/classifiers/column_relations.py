"""What holds between the columns of a record: one decides another, one is never below another."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from typing import Any

import numpy as np

from active_learning.classifiers.value_parsing import day_of, number_of

RELATION_SIGNALS = ("dependency_violation", "dependency_confirmed", "order_violation")
MIN_GROUP = 3
MIN_DETERMINISM = 0.75
MIN_ORDER = 0.9


@dataclass
class ColumnRelations:
    """Dependencies and orders found in a sample of records, as JSON-ready values."""

    dependencies: list[tuple[int, int, dict[str, tuple[str, float]]]] = field(default_factory=list)
    """(determining column, determined column, determining value -> (usual value, its share))."""
    orders: list[tuple[int, int, str]] = field(default_factory=list)
    """(larger column, smaller column, "number" or "day")."""

    @classmethod
    def fit(cls, rows: Sequence[Sequence[str]], columns: int) -> "ColumnRelations":
        """Relations that hold in most of the rows (texts, "" for missing)."""
        pairs = permutations(range(columns), 2)
        dependencies = [_dependency(rows, a, b) for a, b in pairs]
        orders = [_order(rows, a, b) for a, b in combinations(range(columns), 2)]
        return cls([found for found in dependencies if found], [found for found in orders if found])

    def signals(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """(columns, len(RELATION_SIGNALS)) signals of one record."""
        out = np.zeros((len(texts), len(RELATION_SIGNALS)), dtype=np.float32)
        for a, b, usual in self.dependencies:
            expected = usual.get(texts[a])
            if expected is None:
                continue
            value, share = expected
            if texts[b] == value:
                out[b, 1] = max(out[b, 1], share)
            else:
                out[b, 0] = max(out[b, 0], share)
        for larger, smaller, kind in self.orders:
            if _stands_reversed(texts[larger], texts[smaller], kind):
                out[larger, 2] = out[smaller, 2] = 1.0
        return out

    def broken_dependencies(self, texts: Sequence[str], place: int) -> list[tuple[int, str, float]]:
        """What contradicts the value in that place: (determining column, usual value, share)."""
        found = []
        for a, b, usual in self.dependencies:
            if b == place and (expected := usual.get(texts[a])) and expected[0] != texts[b]:
                found.append((a, *expected))
        return found

    def broken_orders(self, texts: Sequence[str], place: int) -> list[tuple[int, int]]:
        """Pairs with that place whose (larger, smaller) columns stand the other way round."""
        return [
            (larger, smaller)
            for larger, smaller, kind in self.orders
            if place in (larger, smaller) and _stands_reversed(texts[larger], texts[smaller], kind)
        ]


def _stands_reversed(larger: str, smaller: str, kind: str) -> bool:
    read = number_of if kind == "number" else day_of
    high, low = read(larger), read(smaller)
    return high is not None and low is not None and high < low


def _dependency(
    rows: Sequence[Sequence[str]], a: int, b: int
) -> tuple[int, int, dict[str, tuple[str, float]]] | None:
    """a -> b where groups of equal a mostly agree on b, and b is not constant anyway."""
    groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
    overall: Counter[str] = Counter()
    for row in rows:
        if row[a]:
            groups[row[a]][row[b]] += 1
            overall[row[b]] += 1
    large = {key: values for key, values in groups.items() if values.total() >= MIN_GROUP}
    covered = sum(values.total() for values in large.values())
    if covered < max(20, 0.1 * len(rows)):
        return None
    agreed = sum(values.most_common(1)[0][1] for values in large.values())
    constant = overall.most_common(1)[0][1] / overall.total()
    if agreed / covered < max(MIN_DETERMINISM, constant + (1 - constant) * 0.3):
        return None
    usual = {}
    for key in sorted(large):
        value, count = large[key].most_common(1)[0]
        if count / large[key].total() >= 0.6 and value:
            usual[key] = (value, count / large[key].total())
    return a, b, usual


def _order(rows: Sequence[Sequence[str]], a: int, b: int) -> tuple[int, int, str] | None:
    """Columns of the same kind, in the same range, where one is hardly ever below the other."""
    for kind, read in (("number", number_of), ("day", day_of)):
        pairs = [
            (x, y)
            for row in rows[:5000]
            if (x := read(row[a])) is not None and (y := read(row[b])) is not None
        ]
        if len(pairs) < max(20, 0.3 * min(len(rows), 5000)):
            continue
        first, second = np.array(pairs, dtype=float).T
        ratio = (np.median(np.abs(first)) + 1) / (np.median(np.abs(second)) + 1)
        if kind == "number" and not 0.2 < ratio < 5:
            continue
        if (first >= second).mean() >= MIN_ORDER and (first > second).mean() > 0.2:
            return a, b, kind
        if (second >= first).mean() >= MIN_ORDER and (second > first).mean() > 0.2:
            return b, a, kind
    return None
