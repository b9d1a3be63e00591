"""What the others said to each answer's item, without that answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import LabelFrame


@dataclass(frozen=True)
class OthersAnswers:
    """Rows as the frame's.

    Attributes:
        classes: (k,) sorted names.
        given: (n,) the place of each row's own label in ``classes``.
        votes: (n, k) answers of the other annotators to the row's item.
        consensus: (n,) the class most of them gave; -1 where they tie or there are none.
    """

    classes: list[str]
    given: NDArray[np.intp]
    votes: NDArray[np.int64]
    consensus: NDArray[np.intp]


def others_answers(frame: LabelFrame) -> OthersAnswers:
    """Leave each answer out of its item's votes."""
    if not len(frame.items):
        none = np.zeros(0, dtype=np.intp)
        return OthersAnswers([], none, np.zeros((0, 0), dtype=np.int64), none)
    _, rows = np.unique(frame.items, return_inverse=True)
    classes, given = np.unique(frame.labels, return_inverse=True)
    k = len(classes)
    table = np.bincount(rows * k + given, minlength=(int(rows.max()) + 1) * k).reshape(-1, k)
    votes = table[rows]
    votes[np.arange(len(given)), given] -= 1
    largest = votes.max(axis=1)
    clear = (largest > 0) & ((votes == largest[:, None]).sum(axis=1) == 1)
    return OthersAnswers(classes.tolist(), given, votes, np.where(clear, votes.argmax(axis=1), -1))
