"""Probabilities that mean what they say: of records given p, the share p is right."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from active_learning.classifiers.logistic_heads import Matrix, divide_by_temperature
from active_learning.types import Marks

MIN_ROWS = 20
"""Fewer out-of-fold rows leave the logits as they are. Chosen: a temperature found from fewer is
mostly chance."""


def temperature_for(logits: Matrix, codes: NDArray[np.intp]) -> float:
    """The divisor of the logits with the least log loss (Guo et al. 2017), between 0.2 and 20.

    Args:
        logits: (n, classes) of rows that the model did not see.
        codes: (n,) true classes, -1 where unknown.
    """
    known = codes >= 0
    if known.sum() < MIN_ROWS:
        return 1.0
    rows, truth = logits[known], codes[known]

    def loss(log_temperature: float) -> float:
        scaled = divide_by_temperature(rows, float(np.exp(log_temperature)))
        peak = scaled.max(axis=1)
        total = peak + np.log(np.exp(scaled - peak[:, None]).sum(axis=1))
        return float((total - scaled[np.arange(len(truth)), truth]).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def platt_scaling(logits: Matrix, marks: Marks) -> tuple[float, float]:
    """(slope, offset) of the yes/no logits with the least log loss (Platt 1999).

    A weak pull towards (1, 0), as strong as two rows, keeps small samples from extremes. The
    offset undoes what balanced class weights do to the share of yes.

    Args:
        logits: (n,) of rows that the model did not see.
        marks: (n,) 1 yes, 0 no, -1 unknown.
    """
    known = marks >= 0
    answers = marks[known].astype(float)
    if known.sum() < MIN_ROWS or answers.min() == answers.max():
        return 1.0, 0.0
    rows = logits[known]

    def loss(parameters: Matrix) -> float:
        slope, offset = parameters
        scaled = slope * rows + offset
        fit = np.logaddexp(0.0, scaled) - answers * scaled
        return float(fit.sum() + (slope - 1.0) ** 2 + 0.1 * offset**2)

    found = minimize(loss, np.array([1.0, 0.0]), bounds=[(0.05, 5.0), (-8.0, 8.0)])
    return float(found.x[0]), float(found.x[1])
