"""Bootstrap over items: how much a figure would differ had other items been drawn."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000
_CELLS = 2_000_000  # of one block of draws: bounds the memory


def patterns_of(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different rows of ``table`` (n, k) and how often each comes.

    Items with the same counts are interchangeable, and there are few different ones: drawing
    how often each pattern comes is drawing items, in memory that does not grow with them.
    """
    base = int(table.max(initial=0)) + 1
    if table.shape[1] * np.log2(base) < 62:
        keys = table @ (base ** np.arange(table.shape[1], dtype=np.int64))
        _, first, times = np.unique(keys, return_index=True, return_counts=True)
        return table[first], times
    patterns, times = np.unique(table, axis=0, return_counts=True)
    return patterns, times


def bootstrap_interval(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    times: NDArray[np.int64],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[float | None, float | None]:
    """The 95 % percentile interval of ``statistic`` over items drawn again.

    ``statistic`` takes (resamples, patterns) counts and gives one value a row, nan where it is
    undefined; those resamples do not count (Efron and Tibshirani 1993, ch. 13). None where
    fewer than half of the resamples have a value.
    """
    total = int(times.sum())
    block = max(1, _CELLS // len(times))
    values = np.concatenate(
        [
            statistic(
                rng.multinomial(total, times / total, size=min(block, resamples - start)).astype(
                    np.float64
                )
            )
            for start in range(0, resamples, block)
        ]
    )
    values = values[~np.isnan(values)]
    if 2 * len(values) < resamples:
        return None, None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def value_or_none(value: float) -> float | None:
    """None for nan."""
    return None if np.isnan(value) else float(value)
