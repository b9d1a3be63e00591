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
        self._ids = list(record_ids)
        self._places = {record_id: place for place, record_id in enumerate(self._ids)}
        if len(self._places) != len(self._ids):
            raise ShapeMismatch("A record id appears twice in the pool; give each record one row.")
        self._open = np.ones(len(self._ids), dtype=bool)
        for record_id in labelled:
            place = self._places.get(record_id)
            if place is not None:
                self._open[place] = False

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def unlabelled(self) -> Positions:
        """Rows of the records that may be chosen, ascending."""
        return np.flatnonzero(self._open)

    @property
    def labelled(self) -> Positions:
        """Rows of the records that may not be chosen, ascending."""
        return np.flatnonzero(~self._open)

    def mark_labelled(self, record_ids: Collection[RecordId]) -> None:
        """These records are not chosen again.

        Raises:
            UnknownRecord: the pool does not hold one of them; nothing is marked.
        """
        self._open[self.positions(list(record_ids))] = False

    def positions(self, record_ids: Sequence[RecordId]) -> Positions:
        """The rows of the records, in their order.

        Raises:
            UnknownRecord: the pool does not hold one of them.
        """
        try:
            return np.array([self._places[r] for r in record_ids], dtype=np.intp)
        except KeyError as error:
            raise UnknownRecord(f"The pool does not hold record {error.args[0]}.") from error

    def ids(self, positions: Positions) -> list[RecordId]:
        """The records of the rows, in their order."""
        return [self._ids[place] for place in positions.tolist()]

    def codes(self, numbers: Mapping[RecordId, int]) -> NDArray[np.intp]:
        """(records,) the number of each row's record, -1 where it has none; others are ignored."""
        out = np.full(len(self._ids), -1, dtype=np.intp)
        for record_id, number in numbers.items():
            place = self._places.get(record_id)
            if place is not None:
                out[place] = number
        return out
