"""One column of records on disk: a small number a record, and the values that the numbers mean."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

Form = Literal["number", "text", "long"]
"""``long``: texts of which only the order is known, and whether there is one."""
Mask = NDArray[np.bool_]
MISSING, OTHER = -1, -2
"""Codes: there is no value; in a column of numbers, there is a text that is none."""


@dataclass(frozen=True)
class ColumnFiles:
    """Where a column lies, and what it is."""

    name: str
    number: int
    form: Form
    values: int

    def path(self, folder: Path, part: str) -> Path:
        """One of its files: codes.i32, order.i32, numbers.f64, texts.utf8, ends.i64."""
        return folder / f"{self.number}-{part}"


@dataclass(frozen=True)
class ValueCounts:
    """How often the values of a column occur among some records.

    Attributes:
        top: (value, records), the most frequent first, equally frequent ones by value.
        distinct: values that occur.
        missing: records without a value.
    """

    top: list[tuple[str | float, int]]
    distinct: int
    missing: int


def array_on_disk(path: Path, dtype: str) -> NDArray[Any]:
    """The file as an array; memory is taken of what is read of it."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")


class _SortedTexts(Sequence[str]):
    """Texts on disk, ascending."""

    def __init__(self, texts: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._texts, self._ends = texts, ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        start = int(self._ends[index - 1]) if index else 0
        return bytes(self._texts[start : int(self._ends[index])]).decode()


class RecordColumn:
    """The values of n records in one column, by ascending record id.

    Texts are ordered by their characters' numbers, numbers by size. Masks are (n,).

    Args:
        folder: that it lies in.
        files: its own.
    """

    def __init__(self, folder: Path, files: ColumnFiles) -> None:
        # All is opened here: later the folder may be gone.
        self._files = files
        self._order = array_on_disk(files.path(folder, "order.i32"), "<i4")
        self.name, self.form = files.name, files.form
        self.codes = array_on_disk(files.path(folder, "codes.i32"), "<i4")
        """(n,) int32: the rank of each value among the distinct ones, or MISSING, or OTHER."""
        self._values: Sequence[str] | NDArray[np.float64]
        if self.form == "number":
            self._values = array_on_disk(files.path(folder, "numbers.f64"), "<f8")
        elif self.form == "text":
            self._values = _SortedTexts(
                array_on_disk(files.path(folder, "texts.utf8"), "u1"),
                array_on_disk(files.path(folder, "ends.i64"), "<i8"),
            )
        else:
            self._values = ()

    @property
    def distinct(self) -> int:
        """How many values differ."""
        return self._files.values

    def numbers(self) -> NDArray[np.float64]:
        """(n,) of a column of numbers; NaN where there is none."""
        with_nan = np.append(np.asarray(self._values, dtype=np.float64), [np.nan, np.nan])
        numbers: NDArray[np.float64] = with_nan[self.codes]  # -1 and -2 are the last two
        return numbers

    def value(self, row: int) -> str | float | None:
        """Of the record in that row; None where it is missing or only its order is known."""
        return self._value_of(int(self.codes[row]))

    def _value_of(self, code: int) -> str | float | None:
        if code < 0 or self.form == "long":
            return None
        value = self._values[code]
        return value if isinstance(value, str) else float(value)

    def without_value(self) -> Mask:
        """Records without a value."""
        return np.asarray(self.codes == MISSING)

    def equal(self, value: str | float) -> Mask:
        """Records with that value; in a column of numbers, text is read as a number."""
        code = self._code(value)
        return np.zeros(len(self.codes), dtype=bool) if code is None else self.codes == code

    def one_of(self, values: Collection[str | float]) -> Mask:
        """Records with one of these values."""
        is_asked = np.zeros(self.distinct + 2, dtype=bool)
        is_asked[[code for value in values if (code := self._code(value)) is not None]] = True
        asked: Mask = is_asked[self.codes]
        return asked

    def between(self, low: str | float | None, high: str | float | None) -> Mask:
        """Records whose value is no less than ``low`` and no more than ``high``; None is open."""
        first = 0 if low is None else self._place(low, "left")
        last = self.distinct if high is None else self._place(high, "right")
        return np.asarray((self.codes >= first) & (self.codes < last))

    def _place(self, value: str | float, side: Literal["left", "right"]) -> int:
        """How many values are less; ``right``: or equal. What is no number is above them all."""
        bisect: Callable[[Any, Any], int] = bisect_left if side == "left" else bisect_right
        if self.form == "text":
            return bisect(self._values, str(value))
        number = _number(value)
        return self.distinct if number is None else bisect(self._values, number)

    def _code(self, value: str | float) -> int | None:
        place = self._place(value, "left")
        wanted = str(value) if self.form == "text" else _number(value)
        return place if place < len(self._values) and self._values[place] == wanted else None

    def order(self, *, descending: bool = False) -> NDArray[np.intp]:
        """(n,) rows by value, equal ones by record id; those without one come last.

        Descending is the exact reverse of it, but for those.
        """
        order: NDArray[np.intp] = self._order.astype(np.intp)
        if not descending:
            return order
        count = len(order) - int(np.count_nonzero(self.codes < 0))
        return np.concatenate([order[:count][::-1], order[count:]])

    def counts(self, mask: Mask | None = None, top: int = 20) -> ValueCounts:
        """How often each value occurs among these records, or all."""
        counted = self._count(mask)
        missing, counted = int(counted[1]), counted[2:]
        distinct = int(np.count_nonzero(counted))
        best = np.flatnonzero(counted)
        if len(best) > top:
            least = np.partition(counted, -top)[-top]
            above = np.flatnonzero(counted > least)
            best = np.concatenate([above, np.flatnonzero(counted == least)[: top - len(above)]])
        best = best[np.lexsort((best, -counted[best]))]
        found = [(self._value_of(code), int(counted[code])) for code in best.tolist()]
        return ValueCounts(
            [(value, n) for value, n in found if value is not None], distinct, missing
        )

    def _count(self, mask: Mask | None) -> NDArray[np.int64]:
        """(distinct + 2,) records by code, of those without a value first."""
        codes = self.codes if mask is None else self.codes[mask]
        counted: NDArray[np.int64] = np.bincount(codes + 2, minlength=self.distinct + 2)
        return counted

    def histogram(
        self, mask: Mask | None = None, bins: int = 20
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(bins + 1,) edges between the least and the largest number, (bins,) records between.

        Nothing of a column of texts, and where there is no number: (0,) and (0,).
        """
        counted = self._count(mask)[2:] if self.form == "number" else np.empty(0, dtype=np.int64)
        there = np.flatnonzero(counted)
        if not len(there):
            return np.empty(0), np.empty(0, dtype=np.int64)
        values = np.asarray(self._values, dtype=np.float64)[there]
        counts, edges = np.histogram(values, bins=bins, weights=counted[there])
        return edges, counts.astype(np.int64)


def _number(value: str | float) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
