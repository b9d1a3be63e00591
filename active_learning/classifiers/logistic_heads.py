"""One softmax head and any number of yes/no heads, fitted together by L-BFGS.

All heads share each pass over the features, so seven issue heads cost little more than one. The
loss is that of scikit-learn's ``LogisticRegression``: summed weighted cross-entropy plus
``|W|^2 / (2 C)``; yes and no are balanced.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from active_learning.types import Marks, Probabilities

Matrix = NDArray[np.float64]
OUT_OF_PLAY = -30.0
"""Logit of a class that no training row has. Chosen: a probability of 1e-13, without an
infinity."""


@dataclass(frozen=True)
class LogisticHeads:
    """Weights of a softmax over ``classes`` columns and of the yes/no columns after them."""

    weights: Matrix
    """(features, classes + binary)"""
    biases: Matrix
    """(classes + binary,)"""
    classes: int

    def logits(self, features: NDArray[Any]) -> tuple[Matrix, Matrix]:
        """((n, classes), (n, binary)) logits."""
        joint = features @ self.weights.astype(features.dtype) + self.biases
        joint = joint.astype(np.float64)
        return joint[:, : self.classes], joint[:, self.classes :]


def softmax(logits: Matrix) -> Probabilities:
    """(n, classes): rows of probabilities that sum to one, from logits of that shape."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def divide_by_temperature(logits: Matrix, temperature: float) -> Matrix:
    """(n, classes): the logits by the temperature; classes out of play stay as far out as they are.

    Divided by 20, -30 would be -1.5: a grade that nobody ever gave, at a probability of a tenth.
    """
    return np.where(logits <= OUT_OF_PLAY, OUT_OF_PLAY, logits / temperature)


def sigmoid(logits: Matrix) -> Probabilities:
    """(n, issues): probabilities of yes, from logits of that shape."""
    probabilities: Probabilities = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return probabilities


def fit_heads(
    features: NDArray[Any],
    codes: NDArray[np.intp],
    classes: int,
    marks: Marks,
    *,
    c: float = 1.0,
    class_balance: float = 0.0,
    sample_weight: Matrix | None = None,
    start: LogisticHeads | None = None,
    iterations: int = 200,
    tolerance: float = 1e-4,
) -> LogisticHeads:
    """The heads that minimise the regularised loss.

    Args:
        features: (n, d).
        codes: (n,) class of each row, -1 where it has none.
        classes: how many classes there are; those without a row get no probability.
        marks: (n, binary) 1 yes, 0 no, -1 not answered.
        c: inverse strength of the penalty.
        class_balance: from 0, every row of the softmax weighs the same, to 1, every class weighs
            the same (scikit-learn's ``balanced``): a class of k rows has k^-balance a row.
        sample_weight: (n,) how much each row counts, 0 or more; a row of weight 2 counts like two
            rows, a row of weight 0 like none. One each by default.
        start: weights to start from (warm start).
        iterations: at most so many steps of L-BFGS.
    """
    n, d = features.shape
    outputs = classes + marks.shape[1]
    counted = np.ones(n) if sample_weight is None else sample_weight
    if (counted == 0).any():
        codes = np.where(counted > 0, codes, -1)
        marks = np.where(counted[:, None] > 0, marks, -1).astype(np.int8)
    present = np.zeros(classes, dtype=bool)
    present[codes[codes >= 0]] = True
    targets, weights = _targets(codes, classes, marks, class_balance, counted)
    theta = np.zeros((d + 1, outputs))
    if start is not None and start.weights.shape == (d, outputs):
        theta[:d], theta[d] = start.weights, start.biases
        theta[d, :classes][theta[d, :classes] <= OUT_OF_PLAY] = 0.0

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        parameters = flat.reshape(d + 1, outputs)
        joint = (features @ parameters[:d].astype(features.dtype) + parameters[d]).astype(float)
        joint[:, :classes][:, ~present] = OUT_OF_PLAY
        grades = softmax(joint[:, :classes]) if classes else joint[:, :0]
        answers = sigmoid(joint[:, classes:])
        errors = (np.concatenate([grades, answers], axis=1) - targets) * weights
        errors[:, :classes][:, ~present] = 0.0
        rows = np.arange(n)
        chosen = np.where(codes >= 0, codes, 0)
        value = 0.0
        if classes:
            value -= float((weights[:, 0] * np.log(np.maximum(grades[rows, chosen], 1e-300))).sum())
        signed = np.where(targets[:, classes:] > 0.5, 1.0, -1.0) * joint[:, classes:]
        value += float((weights[:, classes:] * np.logaddexp(0.0, -signed)).sum())
        value += 0.5 / c * float((parameters[:d] ** 2).sum())
        gradient = np.empty_like(parameters)
        gradient[:d] = features.T @ errors.astype(features.dtype) + parameters[:d] / c
        gradient[d] = errors.sum(axis=0)
        return value, gradient.ravel()

    found = minimize(
        loss,
        theta.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": iterations, "gtol": tolerance, "ftol": 1e-7, "maxcor": 20},
    )
    solution = found.x.reshape(d + 1, outputs)
    biases = solution[d].copy()
    biases[:classes][~present] = OUT_OF_PLAY
    table = solution[:d].copy()
    table[:, :classes][:, ~present] = 0.0
    _fix_constant_answers(table, biases, classes, marks, counted)
    return LogisticHeads(table, biases, classes)


def _targets(
    codes: NDArray[np.intp], classes: int, marks: Marks, class_balance: float, counted: Matrix
) -> tuple[Matrix, Matrix]:
    """One-hot targets and weights, balanced for yes and no, 0 where a row has no answer.

    The balance is between the weighted counts, so weight 2 stays the same as two rows.
    """
    n = len(codes)
    targets = np.zeros((n, classes + marks.shape[1]))
    weights = np.zeros_like(targets)
    graded = codes >= 0
    if classes and graded.any():
        targets[np.flatnonzero(graded), codes[graded]] = 1.0
        weights[graded, :classes] = counted[graded][:, None]
        counts = np.bincount(codes[graded], counted[graded], minlength=classes)
        held = counts > 0
        each = np.power(counts, -class_balance, where=held, out=np.zeros(classes))
        each *= counts.sum() / (each @ counts)
        weights[graded, :classes] *= each[codes[graded]][:, None]
    for place in range(marks.shape[1]):
        column = marks[:, place]
        targets[:, classes + place] = column == 1
        yes, no = float(counted[column == 1].sum()), float(counted[column == 0].sum())
        if yes and no:
            balance = np.where(column == 1, (yes + no) / (2 * yes), (yes + no) / (2 * no))
            weights[:, classes + place] = np.where(column >= 0, balance * counted, 0.0)
    return targets, weights


def _fix_constant_answers(
    table: Matrix, biases: Matrix, classes: int, marks: Marks, counted: Matrix
) -> None:
    """Heads that saw one answer only say that answer, with Laplace's (k + 1) / (n + 2)."""
    for place in range(marks.shape[1]):
        column = marks[:, place]
        yes, no = float(counted[column == 1].sum()), float(counted[column == 0].sum())
        if not (yes and no):
            table[:, classes + place] = 0.0
            rate = (yes + 1) / (yes + no + 2)
            biases[classes + place] = np.log(rate / (1 - rate))
