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
"""Logit of a class that no training row has."""


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
    """Rows of probabilities that sum to one."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def sigmoid(logits: Matrix) -> Probabilities:
    """Probabilities of yes."""
    probabilities: Probabilities = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return probabilities


def fit_heads(
    features: NDArray[Any],
    codes: NDArray[np.intp],
    classes: int,
    marks: Marks,
    *,
    c: float = 1.0,
    balanced_classes: bool = False,
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
        balanced_classes: rare classes weigh more in the softmax. Off by default: actively chosen
            rows already hold more of the rare and doubtful ones, and weighting them once more
            lowered macro-F1 (.79 against .84 with 200 labels of a retail table).
        start: weights to start from (warm start).
        iterations: at most so many steps of L-BFGS.
    """
    n, d = features.shape
    outputs = classes + marks.shape[1]
    present = np.zeros(classes, dtype=bool)
    present[codes[codes >= 0]] = True
    targets, weights = _targets(codes, classes, marks, balanced_classes)
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
    _fix_constant_answers(table, biases, classes, marks)
    return LogisticHeads(table, biases, classes)


def _targets(
    codes: NDArray[np.intp], classes: int, marks: Marks, balanced_classes: bool
) -> tuple[Matrix, Matrix]:
    """One-hot targets and weights, balanced for yes and no, 0 where a row has no answer."""
    n = len(codes)
    targets = np.zeros((n, classes + marks.shape[1]))
    weights = np.zeros_like(targets)
    graded = codes >= 0
    if classes and graded.any():
        targets[np.flatnonzero(graded), codes[graded]] = 1.0
        counts = np.bincount(codes[graded], minlength=classes)
        balance = graded.sum() / ((counts > 0).sum() * np.maximum(counts, 1))
        weights[graded, :classes] = balance[codes[graded]][:, None] if balanced_classes else 1.0
    for place in range(marks.shape[1]):
        column = marks[:, place]
        targets[:, classes + place] = column == 1
        yes, no = int((column == 1).sum()), int((column == 0).sum())
        if yes and no:
            weights[column == 1, classes + place] = (yes + no) / (2 * yes)
            weights[column == 0, classes + place] = (yes + no) / (2 * no)
    return targets, weights


def _fix_constant_answers(table: Matrix, biases: Matrix, classes: int, marks: Marks) -> None:
    """Heads that saw one answer only say that answer, with Laplace's (k + 1) / (n + 2)."""
    for place in range(marks.shape[1]):
        column = marks[:, place]
        yes, no = int((column == 1).sum()), int((column == 0).sum())
        if not (yes and no):
            table[:, classes + place] = 0.0
            rate = (yes + 1) / (yes + no + 2)
            biases[classes + place] = np.log(rate / (1 - rate))
