"""How often each true label is given as each other one, and what the true labels then are."""

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Probabilities

STEPS = 50
"""Of expectation maximisation. Chosen: a bound on time; later steps change little."""
PRIOR_RECORDS = 10.0
"""Records a pair of labels that pull its error rate to the mean rate. Chosen: pairs that came less
often say little by themselves."""


def true_label_posterior(
    probabilities: Probabilities, codes: NDArray[np.intp], *, steps: int = STEPS
) -> Probabilities:
    """(n, classes) probability of each true label, knowing the given one too."""
    posterior = probabilities * label_confusion(probabilities, codes, steps)[:, codes].T
    found: Probabilities = posterior / np.maximum(posterior.sum(axis=1, keepdims=True), 1e-300)
    return found


def label_confusion(
    probabilities: Probabilities, codes: NDArray[np.intp], steps: int = STEPS
) -> NDArray[np.float64]:
    """(classes, classes) how often each true label is given as each other one.

    EM over the table "true label k is given as j"; rows of the table are pulled towards the mean
    error rate, so a rare class cannot invent its own.
    """
    n, classes = probabilities.shape
    if classes == 1:
        return np.ones((1, 1))
    table: NDArray[np.float64] = 0.9 * np.eye(classes) + 0.1 / classes
    onehot = np.zeros((n, classes))
    onehot[np.arange(n), codes] = 1.0
    for _ in range(steps):
        posterior = probabilities * table[:, codes].T
        posterior = posterior / np.maximum(posterior.sum(axis=1, keepdims=True), 1e-300)
        joint = posterior.T @ onehot
        error = 1.0 - float(np.trace(joint)) / n
        usual = np.full((classes, classes), error / (classes - 1))
        np.fill_diagonal(usual, 1.0 - error)
        table = joint + PRIOR_RECORDS * classes * usual
        table /= table.sum(axis=1, keepdims=True)
    return table
