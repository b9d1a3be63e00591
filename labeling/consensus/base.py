"""The frame that every method reads: who gave which label to what."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelFrame:
    """One row a label: three arrays of equal length.

    Attributes:
        items: (n,) integer id of the thing labelled.
        annotators: (n,) integer id of who labelled it.
        labels: (n,) the label; an annotator labels an item at most once.
    """

    items: NDArray[np.int64]
    annotators: NDArray[np.int64]
    labels: NDArray[np.str_]

    def __post_init__(self) -> None:
        if not len(self.items) == len(self.annotators) == len(self.labels):
            raise ValueError(
                f"items, annotators and labels differ in length: {len(self.items)}, "
                f"{len(self.annotators)}, {len(self.labels)}"
            )

    @classmethod
    def from_rows(cls, rows: "list[tuple[int, int, str]]") -> "LabelFrame":
        """The frame of (item, annotator, label) rows."""
        return cls(
            items=np.array([row[0] for row in rows], dtype=np.int64),
            annotators=np.array([row[1] for row in rows], dtype=np.int64),
            labels=np.array([row[2] for row in rows], dtype=np.str_),
        )

    def counts(self) -> "tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.int64]]":
        """(items, classes, table): table[i, c] is how often item i got class c."""
        items, item_rows = np.unique(self.items, return_inverse=True)
        classes, class_columns = np.unique(self.labels, return_inverse=True)
        table = np.zeros((len(items), len(classes)), dtype=np.int64)
        np.add.at(table, (item_rows, class_columns), 1)
        return items, classes, table
