"""The frame that every method reads: who gave which label to what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeling.consensus.posterior import ConsensusResult

Table = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class CodedLabels:
    """A frame as integer codes from 0: what the mathematics works on.

    Attributes:
        items: (I,) ids of the items, ascending.
        annotators: (W,) ids of the annotators, ascending.
        classes: (K,) labels that were given, ascending.
        item: (n,) row of each label's item in ``items``.
        annotator: (n,) row of its annotator in ``annotators``.
        label: (n,) row of the label in ``classes``.
    """

    items: NDArray[np.int64]
    annotators: NDArray[np.int64]
    classes: NDArray[np.str_]
    item: Codes
    annotator: Codes
    label: Codes

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many items, annotators and classes."""
        return len(self.items), len(self.annotators), len(self.classes)

    def votes(self, weights: Table | None = None) -> Table:
        """(I, K): how often, or with what sum of weights, each item got each class."""
        items, _, classes = self.shape
        cells = self.item * classes + self.label
        counted = np.bincount(cells, weights, minlength=items * classes)
        return counted.astype(np.float64).reshape(items, classes)

    @cached_property
    def has_several(self) -> NDArray[np.bool_]:
        """(I,) whether the item has two labels or more."""
        return np.asarray(np.bincount(self.item, minlength=len(self.items)) > 1)

    def rows(self, kept: NDArray[np.bool_]) -> "CodedLabels":
        """The same items, annotators and classes with only the labels that ``kept`` (n,) marks."""
        return CodedLabels(
            self.items,
            self.annotators,
            self.classes,
            self.item[kept],
            self.annotator[kept],
            self.label[kept],
        )

    def over(self, classes: Sequence[str]) -> "CodedLabels":
        """The same labels with these classes, in this order; others must not occur."""
        place = {name: row for row, name in enumerate(classes)}
        if len(place) != len(classes):
            raise ValueError(f"classes names one twice: {list(classes)}")
        unknown = sorted(set(self.classes.tolist()) - place.keys())
        if unknown:
            raise ValueError(f"labels {unknown} are not among the classes {list(classes)}")
        moved = np.array([place[name] for name in self.classes.tolist()], dtype=np.intp)
        label = moved[self.label] if len(moved) else self.label
        names = np.array(classes, dtype=np.str_)
        return CodedLabels(self.items, self.annotators, names, self.item, self.annotator, label)


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
    def from_rows(cls, rows: Iterable[tuple[int, int, str]]) -> "LabelFrame":
        """The frame of (item, annotator, label) rows."""
        rows = list(rows)
        return cls(
            items=np.array([row[0] for row in rows], dtype=np.int64),
            annotators=np.array([row[1] for row in rows], dtype=np.int64),
            labels=np.array([row[2] for row in rows], dtype=np.str_),
        )

    @cached_property
    def codes(self) -> CodedLabels:
        """The frame as integer codes, worked out once."""
        item, items = pd.factorize(self.items, sort=True)
        annotator, annotators = pd.factorize(self.annotators, sort=True)
        label, classes = pd.factorize(self.labels.astype(object), sort=True)
        for name, codes in (("items", item), ("annotators", annotator), ("labels", label)):
            if (codes < 0).any():
                raise ValueError(f"{name} has an empty value; leave its row out")
        return CodedLabels(
            items=np.asarray(items, dtype=np.int64),
            annotators=np.asarray(annotators, dtype=np.int64),
            classes=np.array(list(classes), dtype=np.str_),
            item=item.astype(np.intp),
            annotator=annotator.astype(np.intp),
            label=label.astype(np.intp),
        )

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.int64]]:
        """Items (I,), classes (K,) and (I, K): how often item i got class c."""
        coded = self.codes
        return coded.items, coded.classes, coded.votes().astype(np.int64)


class Aggregator(Protocol):
    """A method: one consensus for every item of the frame, in order of its id.

    The order of the rows and what items, annotators and classes are called change nothing but
    the order of what comes back. An empty frame gives an empty result.
    """

    def __call__(self, frame: LabelFrame, /) -> ConsensusResult:
        """The consensus of every item."""
        ...
