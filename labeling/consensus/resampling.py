"""Bootstrap over items: how much a figure would differ had other items been drawn."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000
"""Draws: the ends of a 95 % interval are then quantiles to half a per cent."""
_CELLS = 2_000_000
"""Of one block of draws. Chosen: bounds memory to 16 MB of numbers."""


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


def unseen_patterns(
    patterns: NDArray[np.int64], times: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Patterns (p, k), times and prior (p,) with what others could have had; see ``draw_weights``.

    Half an item on which all agree, spread evenly over the classes, and half an item with one
    dissenter, over the pairs of classes; each with as many labels as items usually have. Classes
    that nobody gave take no part.
    """
    used = np.flatnonzero(patterns.sum(axis=0))
    labels = max(2, round(float(times @ patterns.sum(axis=1) / times.sum())))
    one = np.eye(patterns.shape[1], dtype=np.int64)[used]
    most, dissenter = np.nonzero(~np.eye(len(used), dtype=bool))
    split = (labels - 1) * one[most] + one[dissenter]
    sizes = [len(used), len(split)]
    prior = np.repeat([0.5 / max(1, size) for size in sizes], sizes)
    return (
        np.concatenate([patterns, labels * one, split]),
        np.concatenate([times, np.zeros(len(prior), dtype=np.int64)]),
        np.concatenate([np.zeros(len(times)), prior]),
    )


def draw_weights(
    times: NDArray[np.int64],
    prior: NDArray[np.float64],
    rng: np.random.Generator,
    resamples: int,
) -> NDArray[np.float64]:
    """(resamples, ..., patterns) how often each pattern may come, of ``times`` (..., patterns).

    The Bayesian bootstrap (Rubin 1981) with one item's worth of prior, as Jeffreys' for a share:
    patterns that these few items did not show are possible, so that no disagreement among ten
    items is not taken for none at all. The draws vary as those of n - 1 items.
    """
    items = times.sum(axis=-1, keepdims=True)
    shapes = (times + prior) * (np.maximum(items - 1, 1) / (items + 1))
    drawn = rng.standard_gamma(shapes, size=(resamples, *shapes.shape))
    return np.asarray(drawn * (items / drawn.sum(axis=-1, keepdims=True).clip(1e-300)))


def bootstrap_interval(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    times: NDArray[np.int64],
    prior: NDArray[np.float64],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[float | None, float | None]:
    """The 95 % interval of ``statistic`` over items that might have been drawn instead.

    ``statistic`` takes (resamples, patterns) weights and gives one value a row.
    """
    block = max(1, _CELLS // len(times))
    values = np.concatenate(
        [
            statistic(draw_weights(times, prior, rng, min(block, resamples - start)))
            for start in range(0, resamples, block)
        ]
    )
    return interval_of(values, float(statistic(times[None, :].astype(np.float64))[0]))


def interval_of(values: NDArray[np.float64], value: float) -> tuple[float | None, float | None]:
    """The middle 95 % of ``values`` (resamples,), widened to hold ``value``; nan does not count.

    None where ``value`` is nan or fewer than half of the values are known.
    """
    known = values[~np.isnan(values)]
    if np.isnan(value) or 2 * len(known) < len(values):
        return None, None
    low, high = np.quantile(known, [0.025, 0.975])
    return min(float(low), value), max(float(high), value)


def value_or_none(value: float) -> float | None:
    """None for nan."""
    return None if np.isnan(value) else float(value)
