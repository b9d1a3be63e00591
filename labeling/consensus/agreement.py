"""How far annotators agree beyond chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import LabelFrame

RESAMPLES = 1_000


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha with a 95 % bootstrap interval over items.

    ``alpha`` is None where it is undefined: no item has two labels, or only one class was
    ever used. ``percent`` is the share of agreeing pairs of labels within items.
    """

    alpha: float | None
    low: float | None
    high: float | None
    percent: float | None
    items: int


def krippendorff_alpha(frame: LabelFrame, rng: np.random.Generator) -> Agreement:
    """Alpha for nominal labels over the items with at least two labels.

    With o[c, k] the coincidences of classes c and k within items and n[c] its margins,
    alpha = 1 - (n - 1) * sum_{c != k} o[c, k] / sum_{c != k} n[c] n[k]
    (Krippendorff, Content Analysis, 2004, ch. 11).
    """
    if not len(frame.items):
        return Agreement(None, None, None, None, 0)
    _, _, table = frame.counts()
    table = table[table.sum(axis=1) >= 2]
    items = len(table)
    if not items:
        return Agreement(None, None, None, None, 0)
    # Items with the same counts are interchangeable, and there are few different ones:
    # drawing how often each pattern comes is drawing items, in memory that does not grow.
    patterns, times = np.unique(table, axis=0, return_counts=True)
    table = patterns.astype(np.float64)
    alpha = _alphas(table, times[None, :].astype(np.float64))[0]
    draws = rng.multinomial(items, times / items, size=RESAMPLES)
    samples = _alphas(table, draws.astype(np.float64))
    samples = samples[~np.isnan(samples)]
    low, high = np.quantile(samples, [0.025, 0.975]) if len(samples) else (np.nan, np.nan)
    totals = table.sum(axis=1)
    agreeing = times @ (table * (table - 1)).sum(axis=1)
    return Agreement(
        alpha=_or_none(alpha),
        low=_or_none(low),
        high=_or_none(high),
        percent=float(agreeing / (times @ (totals * (totals - 1)))),
        items=items,
    )


def _alphas(table: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """One alpha for each row of ``weights``: (resamples, patterns) times a row counts."""
    totals = table.sum(axis=1)
    disagreeing = (totals**2 - (table**2).sum(axis=1)) / (totals - 1)
    observed = weights @ disagreeing
    margins = weights @ table
    pairable = margins.sum(axis=1)
    expected = pairable**2 - (margins**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (pairable - 1) * observed / expected, np.nan))


def cohen_kappas(frame: LabelFrame) -> dict[tuple[int, int], float | None]:
    """Cohen's kappa of each pair of annotators over the items both labelled.

    kappa = (p_o - p_e) / (1 - p_e); None where p_e is 1 (Cohen 1960).
    """
    found: dict[tuple[int, int], float | None] = {}
    people = np.unique(frame.annotators)
    given = {
        int(person): dict(
            zip(
                frame.items[frame.annotators == person].tolist(),
                frame.labels[frame.annotators == person].tolist(),
                strict=True,
            )
        )
        for person in people
    }
    for index, first in enumerate(people.tolist()):
        for second in people.tolist()[index + 1 :]:
            both = sorted(given[first].keys() & given[second].keys())
            if both:
                found[first, second] = _kappa(
                    [given[first][item] for item in both], [given[second][item] for item in both]
                )
    return found


def _kappa(first: list[str], second: list[str]) -> float | None:
    n = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    expected = sum(
        first.count(label) * second.count(label) for label in set(first) | set(second)
    ) / (n * n)
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
