"""Which of many records are drawn."""

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Positions

LEAST = 300
"""Of each stratum, where it has as many: a rare grade is seen, too. Chosen."""


def stratified_sample(strata: NDArray[np.integer], size: int, seed: int) -> Positions:
    """(at most size,) positions, ascending: of each stratum its share, but at least ``LEAST``.

    Args:
        strata: (n,) the stratum of each record; all are taken where n is not above ``size``.
        size: how many at most.
        seed: of the draw.
    """
    if len(strata) <= size:
        return np.arange(len(strata), dtype=np.intp)
    names, counts = np.unique(strata, return_counts=True)
    least = min(LEAST, size // len(names))
    base = np.minimum(counts, least)
    left = counts - base
    more = (left * ((size - base.sum()) / max(left.sum(), 1))).astype(int)
    rng = np.random.default_rng(seed)
    chosen = [
        rng.choice(np.flatnonzero(strata == name), take, replace=False)
        for name, take in zip(names, (base + more).tolist(), strict=True)
    ]
    return np.sort(np.concatenate(chosen)).astype(np.intp)
