"""The records' own columns, in the order of their verdicts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.core.exceptions import InvalidInput
from backend.record_index.columns import RecordColumns
from backend.scoring.schemas import FacetValue
from backend.scoring.verdict_filter import ColumnCondition, VerdictFilter
from backend.scoring.verdict_table import Mask
from backend.words import Message

Value = TypeVar("Value", bound=np.generic)
MOST_VALUES = 20
"""Of a facet. Chosen: as many as a person reads."""


@dataclass(frozen=True)
class VerdictColumns:
    """The columns of n records that have verdicts.

    Args:
        columns: of the dataset's current records.
        record_ids: (n,) of the verdicts, ascending.
    """

    columns: RecordColumns
    record_ids: NDArray[np.int64]

    def matches(self, wanted: VerdictFilter) -> Mask:
        """(n,) the records of which all holds that their columns can tell.

        Raises:
            InvalidInput: a condition is none, or names a field that is not there.
        """
        mask = np.ones(len(self.record_ids), dtype=np.bool_)
        for part in self._parts(wanted):
            mask &= self._of_verdicts(part, False)
        return mask

    def _parts(self, wanted: VerdictFilter) -> Iterator[Mask]:
        if wanted.kind:
            yield self.columns.kinds.one_of(wanted.kind)
        if wanted.import_id:
            yield np.isin(self.columns.import_ids, wanted.import_id)
        for text in wanted.where:
            condition = ColumnCondition.parse(text, self.columns.fields)
            if condition is None:
                raise InvalidInput(
                    Message("{condition!r} is no condition on a field.", condition=text),
                    field="where",
                    value=text,
                    remedy=Message(
                        "Write FIELD=value, FIELD>=value or FIELD<=value with one of the fields "
                        "{fields}.",
                        fields=list(self.columns.fields),
                    ),
                )
            yield self._holds(condition)

    def _holds(self, condition: ColumnCondition) -> Mask:
        field, value = condition.field, condition.value
        if not value:
            return self.columns.without_value(field)
        compare: dict[str, Callable[[], Mask]] = {
            "=": lambda: self.columns.equal(field, value),
            ">=": lambda: self.columns.between(field, value, None),
            "<=": lambda: self.columns.between(field, None, value),
        }
        return compare[condition.operator]()

    def newest(self) -> NDArray[np.int64]:
        """(n,) when each version came, in microseconds since 1970; -1 where that is not known."""
        return self._of_verdicts(self.columns.created_at, -1)

    def ranks(self, field: str) -> NDArray[np.float64]:
        """(n,) larger for larger values of the field; NaN for a missing one.

        Raises:
            InvalidInput: there is no such field.
        """
        column = self.columns.column(field)
        if column.form == "long":
            ranks: NDArray[np.float64] = np.empty(len(column.codes))
            ranks[column.order()] = np.arange(len(ranks))
            ranks[column.without_value()] = np.nan
        else:
            ranks = np.where(column.codes < 0, np.nan, column.codes).astype(np.float64)
        return self._of_verdicts(ranks, np.nan)

    def kind_counts(self, mask: Mask) -> list[FacetValue]:
        """How many of the chosen records (n,) are of each kind."""
        found = self.columns.kinds.counts(self._of_columns(mask), MOST_VALUES)
        return [FacetValue(value=str(value), count=count) for value, count in found.top]

    def import_counts(self, mask: Mask) -> list[FacetValue]:
        """How many of the chosen records (n,) each import brought, the newest import first."""
        chosen = self.columns.import_ids[self._of_columns(mask)]
        ids, counts = np.unique(chosen[chosen >= 0], return_counts=True)
        return [
            FacetValue(value=str(number), count=count)
            for number, count in zip(ids[::-1].tolist(), counts[::-1].tolist(), strict=True)
        ]

    def value_counts(self, field: str, mask: Mask) -> list[FacetValue]:
        """The most frequent values of the field among the chosen records (n,).

        Raises:
            InvalidInput: there is no such field.
        """
        found = self.columns.counts(field, self._of_columns(mask), MOST_VALUES)
        return [FacetValue(value=_text(value), count=count) for value, count in found.top]

    @property
    def _is_aligned(self) -> bool:
        return np.array_equal(self.columns.ids, self.record_ids)

    def _of_verdicts(self, values: NDArray[Value], missing: object) -> NDArray[Value]:
        """(n,) the values of the columns' rows, ``missing`` for records that have no row."""
        if self._is_aligned:
            return values
        rows = self.columns.rows(self.record_ids)
        found = np.asarray(values)[rows]
        found[rows < 0] = missing
        return found

    def _of_columns(self, mask: Mask) -> Mask:
        """The columns' rows that the mask (n,) of verdicts chooses."""
        if self._is_aligned:
            return mask
        return self.columns.mask(self.record_ids[mask])


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
