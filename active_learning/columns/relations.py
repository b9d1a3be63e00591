"""What holds between the columns of a record: one decides another, one is never below another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.columns.value_parsing import day_of, number_of
from active_learning.types import ShouldStop, check_stop, never

RELATION_SIGNALS = ("dependency_violation", "dependency_confirmed", "order_violation")
MIN_GROUP = 3
"""Rows with the same value from which on it can decide another column: of two that agree one may
be the fault, of three the majority shows."""
MIN_DETERMINISM = 0.75
"""Share of rows in which one column decides another; chosen, not derived: tables of which one
value in four is wrong still show their rules, and columns that only correlate do not reach it."""
MIN_ORDER = 0.9
"""Share of rows in which one column is not below another; chosen in the same way: one row in ten
may be wrong."""
MOST_DECIDING = 24
"""Columns that decide one other column. Chosen: bounds time in wide tables."""
ORDER_ROWS = 5_000
"""Rows in which orders are looked for: a share of 0.9 of so many is known to within 0.01 (95 %)."""
READERS: dict[str, Callable[[str], float | None]] = {"number": number_of, "day": day_of}
KINDS = tuple(READERS)

Dependency: TypeAlias = tuple[int, int, dict[str, tuple[str, float]]]


@dataclass(frozen=True)
class Coded:
    """A column of n texts as numbers, in the order in which its values first occur."""

    values: list[str]
    """The different texts."""
    codes: NDArray[np.intp]
    """(n,) the place of each text in ``values``."""
    counts: NDArray[np.intp]
    """(values,) how often each occurs."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Coded":
        """The column of these texts."""
        places: dict[str, int] = {}
        codes = np.array([places.setdefault(text, len(places)) for text in texts], dtype=np.intp)
        return cls(list(places), codes, np.bincount(codes, minlength=len(places)))

    @cached_property
    def place_of(self) -> dict[str, int]:
        """Text to its place in ``values``."""
        return {value: place for place, value in enumerate(self.values)}

    @cached_property
    def is_present(self) -> NDArray[np.bool_]:
        """(values,) not empty."""
        return np.array([bool(value) for value in self.values], dtype=bool)

    @cached_property
    def is_large(self) -> NDArray[np.bool_]:
        """(values,) present in at least ``MIN_GROUP`` rows."""
        large: NDArray[np.bool_] = (self.counts >= MIN_GROUP) & self.is_present
        return large

    @cached_property
    def row_count(self) -> int:
        """Rows of these values."""
        return int(self.counts[self.is_large].sum())

    def look_up(
        self, usual: Mapping[str, tuple[str, float]], other: "Coded"
    ) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """What a dependency expects of ``other`` beside each of these values.

        ((values,) the share, 0 where nothing is expected; (values,) the place of the expected
        text among the values of ``other``, -1 where it has none).
        """
        share = np.zeros(len(self.values), dtype=np.float32)
        expected = np.full(len(self.values), -1, dtype=np.intp)
        for place, value in enumerate(self.values):
            found = usual.get(value)
            if found is not None:
                expected[place], share[place] = other.place_of.get(found[0], -1), found[1]
        return share, expected

    def read(self, kind: str) -> NDArray[np.float64]:
        """(n,) numbers or days, NaN where the text is none."""
        found = [READERS[kind](value) for value in self.values]
        numbers = np.array([np.nan if one is None else one for one in found], dtype=np.float64)
        return np.asarray(numbers[self.codes])


@dataclass
class ColumnRelations:
    """Dependencies and orders found in a sample of records, as JSON-ready values."""

    dependencies: list[Dependency] = field(default_factory=list)
    """(determining column, determined column, determining value -> (usual value, its share))."""
    orders: list[tuple[int, int, str]] = field(default_factory=list)
    """(larger column, smaller column, "number" or "day")."""

    def __post_init__(self) -> None:
        self._compared: dict[str, list[int]] = {}
        for kind in sorted({kind for _, _, kind in self.orders}):
            pairs = [(larger, smaller) for larger, smaller, of in self.orders if of == kind]
            self._compared[kind] = sorted({place for pair in pairs for place in pair})

    @classmethod
    def fit(
        cls, rows: Sequence[Sequence[str]], columns: int, should_stop: ShouldStop = never
    ) -> "ColumnRelations":
        """Relations that hold in most of the rows (texts, "" for missing).

        Of the columns that decide one column the surest ``MOST_DECIDING`` are kept, so that wide
        tables stay fast.

        Raises:
            Cancelled: ``should_stop`` answered True.
        """
        coded = [Coded.of([row[place] for row in rows]) for place in range(columns)]
        found: list[list[tuple[float, Dependency]]] = [[] for _ in range(columns)]
        for a in range(columns):
            check_stop(should_stop, "relating the columns")
            if coded[a].row_count < max(20, 0.1 * len(rows)):
                continue
            for b in range(columns):
                if a != b and (held := _dependency(coded[a], coded[b], a, b)) is not None:
                    found[b].append(held)
        kept = [
            dependency
            for of_column in found
            for _, dependency in sorted(of_column, key=lambda held: -held[0])[:MOST_DECIDING]
        ]
        kept.sort(key=lambda dependency: dependency[:2])
        numbers = [
            {kind: Coded.of([row[place] for row in rows[:ORDER_ROWS]]).read(kind) for kind in KINDS}
            for place in range(columns)
        ]
        orders = []
        for a in range(columns):
            check_stop(should_stop, "relating the columns")
            for b in range(a + 1, columns):
                order = _order(numbers[a], numbers[b], a, b)
                if order is not None:
                    orders.append(order)
        return cls(kept, orders)

    def signals(self, columns: Sequence[Coded]) -> NDArray[np.float32]:
        """(n, columns, len(RELATION_SIGNALS)) signals of n records, given column by column."""
        n = len(columns[0].codes) if columns else 0
        out = np.zeros((n, len(columns), len(RELATION_SIGNALS)), dtype=np.float32)
        for a, b, usual in self.dependencies:
            share, expected = columns[a].look_up(usual, columns[b])
            shares = share[columns[a].codes]
            is_kept = expected[columns[a].codes] == columns[b].codes
            for signal, where in ((0, ~is_kept), (1, is_kept)):
                held = out[:, b, signal]
                np.maximum(held, np.where(where, shares, 0.0), out=held)
        read = {
            kind: {place: columns[place].read(kind) for place in places}
            for kind, places in self._compared.items()
        }
        for larger, smaller, kind in self.orders:
            is_reversed = read[kind][larger] < read[kind][smaller]  # never where one is NaN
            out[is_reversed, larger, 2] = 1.0
            out[is_reversed, smaller, 2] = 1.0
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
    high, low = READERS[kind](larger), READERS[kind](smaller)
    return high is not None and low is not None and high < low


def _dependency(deciding: Coded, decided: Coded, a: int, b: int) -> tuple[float, Dependency] | None:
    """a -> b where groups of equal a mostly agree on b, and b is not constant anyway.

    With the share of rows that agree.
    """
    width = len(decided.values)
    pairs, first, counts = np.unique(
        deciding.codes * width + decided.codes, return_index=True, return_counts=True
    )
    # The most frequent value of each group first; of equals the one that came first.
    order = np.lexsort((first, -counts, pairs // width))
    group = pairs[order] // width
    is_best = np.ones(len(order), dtype=bool)
    is_best[1:] = group[1:] != group[:-1]
    best = order[is_best]
    groups, values, agreed = pairs[best] // width, pairs[best] % width, counts[best]
    large = deciding.is_large[groups]
    covered = deciding.row_count
    share = float(agreed[large].sum()) / covered
    present = deciding.is_present[deciding.codes]
    overall = np.bincount(decided.codes[present], minlength=width)
    constant = float(overall.max() / overall.sum())
    if share < max(MIN_DETERMINISM, constant + (1 - constant) * 0.3):
        return None
    usual = {}
    for place in np.flatnonzero(large).tolist():
        key, value = deciding.values[groups[place]], decided.values[values[place]]
        sure = float(agreed[place] / deciding.counts[groups[place]])
        if sure >= 0.6 and value:
            usual[key] = (value, sure)
    return share, (a, b, dict(sorted(usual.items())))


def _order(
    ones: Mapping[str, NDArray[np.float64]],
    others: Mapping[str, NDArray[np.float64]],
    a: int,
    b: int,
) -> tuple[int, int, str] | None:
    """Columns of the same kind, in the same range, where one is hardly ever below the other."""
    for kind in KINDS:
        both = ~(np.isnan(ones[kind]) | np.isnan(others[kind]))
        if both.sum() < max(20, 0.3 * len(both)):
            continue
        first, second = ones[kind][both], others[kind][both]
        ratio = (np.median(np.abs(first)) + 1) / (np.median(np.abs(second)) + 1)
        if kind == "number" and not 0.2 < ratio < 5:
            continue
        if (first >= second).mean() >= MIN_ORDER and (first > second).mean() > 0.2:
            return a, b, kind
        if (second >= first).mean() >= MIN_ORDER and (second > first).mean() > 0.2:
            return b, a, kind
    return None
