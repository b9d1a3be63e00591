"""An order of rows that follows from what is in them, not from how they came."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray


def content_order(columns: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
    """(n,) places that sort the rows by a hash of their content.

    Any permutation of the same rows, put in this order, is the same sequence: folds, bootstrap
    samples and rounding no longer depend on the order in which labels arrived.

    Args:
        columns: arrays of n rows each, of any other dimensions; of a type without references.
    """
    rows = len(columns[0])
    tables = [np.ascontiguousarray(column).reshape(rows, -1) for column in columns]
    digests = [
        blake2b(b"".join(table[row].tobytes() for table in tables), digest_size=16).digest()
        for row in range(rows)
    ]
    return np.array(sorted(range(rows), key=digests.__getitem__), dtype=np.intp)
