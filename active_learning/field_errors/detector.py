"""Finds wrong fields: learns from the marked fields of a few records, asks for the next ones."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.forest import Forest
from active_learning.exceptions import NotFitted, ShapeMismatch, UnknownLabel
from active_learning.field_errors.cell_table import CellTable
from active_learning.field_errors.evidence import (
    FieldEvidence,
    evidence_of,
    marked_evidence,
    resemblance_evidence,
)
from active_learning.field_errors.sampling import MIXTURE, Sampling, choose
from active_learning.types import Fields, Marks, Positions, Probabilities

TREES = 64
"""As ``classifiers.forest.TREES``."""
FAULTY = 0.45
"""Probability above which a field counts as wrong: half of the F1 that is hoped for, 0.9, is the
threshold at which F1 is largest (Lipton, Elkan and Narayanaswamy 2014)."""
CHUNK = 20_000
"""Records graded at a time. Chosen: bounds memory."""
CANDIDATES = 4_000
"""Records that compete for a place in the next batch; more are sampled down to this. Chosen:
bounds time."""


class FieldErrorDetector:
    """Probability of every field of a table that its value is wrong.

    One forest is pooled over all columns, so that marks in one column teach about the others
    (the features are those of :class:`CellTable`). Use it as a loop: ``choose_rows``, have these
    records marked, ``fit`` with all marks so far, ``choose_rows`` again.

    Args:
        table: the cells, or the records of the table.
        seed: of trees and samplers; equal seeds and marks give equal answers.
    """

    def __init__(self, table: CellTable | Sequence[Fields], *, seed: int = 0) -> None:
        self.table = table if isinstance(table, CellTable) else CellTable(table, seed=seed)
        self.seed = seed
        self._forest: Forest | None = None
        self._rate = 0.5
        self._marks: Marks | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether marks were given; they may still all say the same."""
        return self._marks is not None

    @property
    def tells_fields_apart(self) -> bool:
        """Whether both a faulty and a sound field were among the marks."""
        return self._forest is not None

    def fit(self, marks: Marks) -> Self:
        """The detector has learnt from exactly these marks.

        With no faulty or no sound field among them there is nothing to tell apart: every
        unmarked field then gets Laplace's rate, (faulty + 1) / (marked + 2).

        Args:
            marks: (records, fields) 1 faulty, 0 sound, -1 nobody looked.

        Raises:
            ShapeMismatch: the marks are not of this table.
            UnknownLabel: a mark other than 1, 0 and -1.
        """
        marks = self._check_marks(marks)
        rows = np.flatnonzero((marks >= 0).any(axis=1))
        answers = marks[rows].ravel()
        known = answers >= 0
        faulty, sound = int((answers == 1).sum()), int((answers == 0).sum())
        self._rate = (faulty + 1) / (faulty + sound + 2)
        self._marks = marks
        self._forest = None
        if faulty and sound:
            flat = self.table.features(rows).reshape(-1, self.table.width)[known]
            self._forest, _ = Forest.fit(
                flat, answers[known].astype(np.intp), 2, seed=self.seed, trees=TREES, min_leaf=1
            )
        return self

    def predict_proba(self, rows: Positions | None = None) -> Probabilities:
        """(rows, fields) probability that the field is wrong; marked fields keep their mark.

        Args:
            rows: positions in the table; all by default.

        Raises:
            NotFitted: no marks were given yet.
        """
        if self._marks is None:
            raise NotFitted("The detector has seen no marks yet: call fit first.")
        wanted = np.arange(len(self.table)) if rows is None else np.asarray(rows, dtype=np.intp)
        found = np.full((len(wanted), len(self.table.fields)), self._rate)
        if self._forest is not None:
            for start in range(0, len(wanted), CHUNK):
                part = wanted[start : start + CHUNK]
                flat = self.table.features(part).reshape(-1, self.table.width)
                shares = self._forest.predict_proba(flat)[:, 1]
                found[start : start + CHUNK] = shares.reshape(len(part), -1)
        marks = self._marks[wanted]
        return np.where(marks >= 0, marks, found).astype(np.float64)

    def predict(self, rows: Positions | None = None) -> NDArray[np.bool_]:
        """(rows, fields) True where the probability of a wrong value exceeds ``FAULTY``.

        Where nothing but faults (or nothing but sound fields) was marked, all unmarked fields get
        that same answer.

        Raises:
            NotFitted: no marks were given yet.
        """
        wrong: NDArray[np.bool_] = self.predict_proba(rows) > FAULTY
        return wrong

    def choose_rows(
        self, count: int, *, marks: Marks | None = None, sampler: str = MIXTURE
    ) -> Positions:
        """(count,): different records to mark next, the most instructive first.

        Args:
            count: how many.
            marks: (n, fields) given so far; those of the last ``fit`` by default. Records with any
                mark are not chosen.
            sampler: one of ``SAMPLERS``.

        Raises:
            EmptyPool: fewer than ``count`` records have no mark.
            UnknownStrategy: no sampler of that name.
            ShapeMismatch: the marks are not of this table.
            UnknownLabel: a mark other than 1, 0 and -1.
        """
        shape = (len(self.table), len(self.table.fields))
        given = self._marks if marks is None else self._check_marks(marks)
        given = np.full(shape, -1, dtype=np.int8) if given is None else given
        labelled = np.flatnonzero((given >= 0).any(axis=1))
        rng = np.random.default_rng([self.seed, len(labelled)])
        free = np.flatnonzero((given < 0).all(axis=1))
        if len(free) > max(CANDIDATES, count):
            free = np.sort(rng.choice(free, max(CANDIDATES, count), replace=False))

        def probabilities(rows: Positions) -> Probabilities:
            return self.predict_proba(rows)

        sampling = Sampling(
            self.table, labelled, free, probabilities if self.tells_fields_apart else None, rng
        )
        return choose(sampling, count, sampler)

    def evidence(self, row: int, field: str, limit: int = 3) -> list[FieldEvidence]:
        """What speaks against this value, in words, the strongest first.

        A value that the detector holds for wrong always has some: where no signal can be put
        into words, the marked value that it resembles most. Others may have none.

        Raises:
            ShapeMismatch: the table has no such row or field.
        """
        if field not in self.table.fields or not 0 <= row < len(self.table):
            raise ShapeMismatch(
                f"The table has no field '{field}' in row {row}; it has {len(self.table)} rows "
                f"and the fields {list(self.table.fields)}."
            )
        found = evidence_of(self.table.signals, self.table.records[row], field)
        if not found and self._marks is not None:
            place = self.table.fields.index(field)
            wrong = self.predict_proba(np.array([row]))[0, place] > FAULTY
            found = self._resemblance(row, place) if wrong else []
        return found[:limit]

    def _resemblance(self, row: int, place: int) -> list[FieldEvidence]:
        """The value that people marked as wrong and whose signals are nearest, if any was."""
        if self._marks is None or not (self._marks == 1).any():
            return []
        rows, columns = np.nonzero(self._marks == 1)
        if (columns == place).any():
            rows, columns = rows[columns == place], columns[columns == place]
        gaps = self.table.cells[rows, columns] - self.table.cells[row, place]
        order = np.where(rows == row, np.inf, np.abs(gaps).sum(axis=1))
        nearest = int(order.argmin())
        if not np.isfinite(order[nearest]):
            return [marked_evidence()]
        field = self.table.fields[columns[nearest]]
        return [resemblance_evidence(field, self.table.records[rows[nearest]].get(field))]

    def _check_marks(self, marks: Marks) -> Marks:
        shape = (len(self.table), len(self.table.fields))
        if marks.shape != shape:
            raise ShapeMismatch(f"marks have shape {marks.shape}, this table needs {shape}.")
        strange = sorted(set(np.unique(marks).tolist()) - {-1, 0, 1})
        if strange:
            raise UnknownLabel(f"Marks are 1, 0 or -1; {strange} are not. Correct these marks.")
        return marks.astype(np.int8)
