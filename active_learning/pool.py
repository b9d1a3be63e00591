"""The pool: which records exist, in which row of a matrix, and which may still be chosen."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from active_learning.exceptions import ShapeMismatch, UnknownRecord
from active_learning.types import Positions, RecordId


class Pool:
    """Record ids and row positions, and nowhere else do both meet.

    Args:
        record_ids: one for each row of the feature matrix, in its order; no id twice.
        labelled: records not to be chosen again: labelled, or already in a batch. Ids that are
            not in the pool are ignored.

    Raises:
        ShapeMismatch: an id appears twice.
    """

    def __init__(self, record_ids: Sequence[RecordId], labelled: Collection[RecordId] = ()) -> None:
        self._ids = np.fromiter(record_ids, np.int64, len(record_ids))
        self._order = np.argsort(self._ids, kind="stable")
        self._sorted = self._ids[self._order]
        if (np.diff(self._sorted) == 0).any():
            raise ShapeMismatch("A record id appears twice in the pool; give each record one row.")
        self._open = np.ones(len(self._ids), dtype=bool)
        places = self._places(labelled)
        self._open[places[places >= 0]] = False

    def _places(self, record_ids: Collection[RecordId]) -> Positions:
        """(m,) the row of each record, -1 where the pool does not hold it."""
        wanted = np.fromiter(record_ids, np.int64, len(record_ids))
        if len(self._ids) == 0:
            return np.full(len(wanted), -1, dtype=np.intp)
        found = np.minimum(np.searchsorted(self._sorted, wanted), len(self._ids) - 1)
        return np.where(self._sorted[found] == wanted, self._order[found], -1)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def unlabelled(self) -> Positions:
        """(open,): rows of the records that may be chosen, ascending."""
        return np.flatnonzero(self._open)

    @property
    def labelled(self) -> Positions:
        """(closed,): rows of the records that may not be chosen, ascending."""
        return np.flatnonzero(~self._open)

    def mark_labelled(self, record_ids: Collection[RecordId]) -> None:
        """These records are not chosen again.

        Raises:
            UnknownRecord: the pool does not hold one of them; nothing is marked.
        """
        self._open[self.positions(list(record_ids))] = False

    def positions(self, record_ids: Sequence[RecordId]) -> Positions:
        """(n,): the rows of the n records, in their order.

        Raises:
            UnknownRecord: the pool does not hold one of them.
        """
        places = self._places(record_ids)
        if (places < 0).any():
            unknown = record_ids[int(np.flatnonzero(places < 0)[0])]
            raise UnknownRecord(f"The pool does not hold record {unknown}.")
        return places

    def ids(self, positions: Positions) -> list[RecordId]:
        """The records of the rows (n,), in their order."""
        found: list[RecordId] = self._ids[positions].tolist()
        return found

    def codes(self, numbers: Mapping[RecordId, int]) -> NDArray[np.intp]:
        """(records,) the number of each row's record, -1 where it has none; others are ignored."""
        out = np.full(len(self._ids), -1, dtype=np.intp)
        places = self._places(numbers)
        codes = np.fromiter(numbers.values(), np.intp, len(numbers))
        out[places[places >= 0]] = codes[places >= 0]
        return out
