"""Which fields of a record are faulty: one model pooled over all columns.

Cell signals name no column, so twenty records with marked fields teach the model about every
column, also those whose faults nobody has marked yet.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.forest import Arrays, Forest
from active_learning.types import Marks, Probabilities

CORE_COLUMNS = 6
"""Leading columns of the fault summary: how many fields are faulty, not which or how."""
MIN_MARKS = 2
"""Faulty cells, and sound cells, that must have been marked before the model is fitted. Chosen: of
one alone nothing can be learnt."""


class FaultyFieldModel:
    """Probability that a field is faulty, from its signals alone."""

    def __init__(self, forest: Forest | None, rate: float) -> None:
        self._forest = forest
        self._rate = rate

    @classmethod
    def fit(
        cls, cells: NDArray[np.float32], marks: Marks, *, seed: int
    ) -> tuple["FaultyFieldModel", Probabilities]:
        """The model, and (n, fields) probabilities of these records that did not see their marks.

        Args:
            cells: (n, fields, signals).
            marks: (n, fields) 1 faulty, 0 sound, -1 nobody looked.

        With fewer than two faulty or two sound marks every field gets the same probability,
        Laplace's (faulty + 1) / (marked + 2).
        """
        n, fields, signals = cells.shape
        flat, answers = cells.reshape(-1, signals), marks.ravel()
        known = answers >= 0
        faulty, sound = int((answers == 1).sum()), int((answers == 0).sum())
        rate = (faulty + 1) / (faulty + sound + 2)
        if faulty < MIN_MARKS or sound < MIN_MARKS:
            return cls(None, rate), np.full((n, fields), rate)
        forest, unseen = Forest.fit(flat[known], answers[known].astype(np.intp), 2, seed=seed)
        model = cls(forest, rate)
        honest = np.empty(len(flat))
        honest[known] = unseen[:, 1]
        if not known.all():
            honest[~known] = forest.predict_proba(flat[~known])[:, 1]
        return model, honest.reshape(n, fields)

    @property
    def is_fitted(self) -> bool:
        """Whether fields are told apart."""
        return self._forest is not None

    def predict_proba(self, cells: NDArray[np.float32]) -> Probabilities:
        """(n, fields) probability that the field is faulty."""
        n, fields, signals = cells.shape
        if self._forest is None:
            return np.full((n, fields), self._rate)
        flat = self._forest.predict_proba(cells.reshape(-1, signals))[:, 1]
        return flat.reshape(n, fields)

    def to_arrays(self) -> Arrays:
        """Plain arrays that ``from_arrays`` understands."""
        arrays = {} if self._forest is None else self._forest.to_arrays()
        return {**arrays, "rate": np.array([self._rate])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> "FaultyFieldModel":
        """The model that ``to_arrays`` wrote."""
        forest = Forest.from_arrays(arrays) if "shape" in arrays else None
        return cls(forest, float(arrays["rate"][0]))


def fault_summary(probabilities: Probabilities, cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 6 + fields + signals): what the faulty fields of a record say about its grade.

    The first three columns are the log-probabilities of no, one and more faulty fields, for
    independent fields (Poisson binomial); then the expected number, the two most suspect fields,
    every field by itself, and the signals of the fields weighted by their suspicion, which tell
    of what kind the fault is.
    """
    p = np.clip(probabilities, 1e-3, 1 - 1e-3)
    none, one = np.ones(len(p)), np.zeros(len(p))
    for column in p.T:
        one = one * (1 - column) + none * column
        none = none * (1 - column)
    counts = np.stack([none, one, np.maximum(1 - none - one, 0.0)], axis=1)
    logits = np.log(p / (1 - p))
    top = np.sort(logits, axis=1)[:, ::-1][:, :2]
    if top.shape[1] < 2:
        top = np.pad(top, ((0, 0), (0, 2 - top.shape[1])), constant_values=float(np.log(1e-3)))
    kind = np.einsum("nf,nfk->nk", p, cells)
    return np.concatenate(
        [np.log(counts + 1e-3), p.sum(axis=1, keepdims=True), top, logits, kind],
        axis=1,
        dtype=np.float32,
    )
