"""How bad and how doubtful a record is, by the probabilities of its grades."""

import numpy as np

from active_learning.types import Probabilities, Scores

MARKED = 0.5
"""Probability from which an issue or a faulty field counts as named: more probable than not."""


def risk(grades: Probabilities, *, is_ordered: bool) -> Scores:
    """(n,) probability that a record is not of the best grade.

    Args:
        grades: (n, classes), rows sum to one, the best grade first where they are ordered.
        is_ordered: else no grade is the best, and it is the probability that the most probable
            one is wrong.
    """
    best = grades[:, 0] if is_ordered else grades.max(axis=1)
    return np.clip(1.0 - best, 0.0, 1.0)


def doubt(grades: Probabilities) -> Scores:
    """(n,) one less the margin between the two most probable grades: 1 is a draw, 0 is certain."""
    if grades.shape[1] < 2:
        return np.zeros(len(grades))
    top = np.partition(grades, -2, axis=1)[:, -2:]
    return np.clip(1.0 - (top[:, 1] - top[:, 0]), 0.0, 1.0)
