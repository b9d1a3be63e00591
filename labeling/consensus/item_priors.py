"""What a classifier expects of items before anyone has labelled them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import Table

LEAST = 1e-6
"""Probability that a classifier leaves every class at least, so that votes can still decide:
about 14 in logarithms, what four or five votes of people right nine times of ten weigh."""


@dataclass(frozen=True)
class ItemPriors:
    """A classifier's probabilities, made without the item's own labels (out of fold).

    Attributes:
        item_ids: (m,) each once; items without a label are passed over.
        classes: (K,) names of the columns; every label given must be among them.
        probabilities: (m, K) rows sum to 1.
    """

    item_ids: NDArray[np.int64]
    classes: Sequence[str]
    probabilities: Table

    def __post_init__(self) -> None:
        expected = (len(self.item_ids), len(self.classes))
        if self.probabilities.shape != expected:
            raise ValueError(
                f"probabilities have shape {self.probabilities.shape}, item_ids and classes "
                f"ask for {expected}"
            )
        if len(np.unique(self.item_ids)) != len(self.item_ids):
            raise ValueError("item_ids names an item twice; give one row an item")
        is_sound = np.isfinite(self.probabilities).all() and (self.probabilities >= 0).all()
        if not is_sound or not np.allclose(self.probabilities.sum(axis=1), 1, atol=1e-3):
            raise ValueError("probabilities must be finite and not negative, and rows sum to 1")

    def over(self, classes: NDArray[np.str_]) -> "ItemPriors":
        """The same with ``classes`` (K,) in this order; they must be the same names.

        Raises:
            ValueError: other names.
        """
        names = classes.tolist()
        if names == list(self.classes):
            return self
        if sorted(names) != sorted(self.classes):
            raise ValueError(f"the classifier's classes {list(self.classes)} are not {names}")
        columns = [list(self.classes).index(name) for name in names]
        return ItemPriors(self.item_ids, names, self.probabilities[:, columns])

    def rows_of(self, items: NDArray[np.int64], otherwise: Table) -> Table:
        """(I, K) rows of these items, at least 1e-6; ``otherwise`` (K,) where there is none."""
        rows = np.tile(otherwise, (len(items), 1))
        if len(self.item_ids):
            order = np.argsort(self.item_ids)
            place = np.searchsorted(self.item_ids, items, sorter=order).clip(max=len(order) - 1)
            found = order[place]
            is_there = self.item_ids[found] == items
            rows[is_there] = self.probabilities[found[is_there]]
        rows = rows.clip(min=LEAST)
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))

    def has(self, items: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(I,) whether the classifier spoke of the item."""
        return np.isin(items, self.item_ids)
