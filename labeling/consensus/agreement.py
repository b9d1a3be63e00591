"""How far annotators agree beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import LabelFrame
from labeling.consensus.kappa import pair_counts
from labeling.consensus.resampling import (
    RESAMPLES,
    bootstrap_interval,
    patterns_of,
    unseen_patterns,
    value_or_none,
)
from labeling.consensus.words import ONE_CLASS, why_undefined
from labeling.words import Words


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha with a 95 % bootstrap interval over items.

    ``alpha`` is None where it is undefined: no item has two labels, or only one class was
    ever used. ``percent`` is the share of agreeing pairs of labels within items, ``items``
    counts those with two labels or more. ``why`` says why there is no alpha.
    """

    alpha: float | None
    low: float | None
    high: float | None
    percent: float | None
    items: int
    why: Words | None = field(default=None, compare=False)


def krippendorff_alpha(
    frame: LabelFrame,
    rng: np.random.Generator,
    *,
    order: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> Agreement:
    """Alpha over the items with at least two labels; ordinal where ``order`` ranks the classes.

    With o[c, k] the coincidences of classes c and k within items and n[c] its margins,
    alpha = 1 - (n - 1) * sum o[c, k] d[c, k] / sum n[c] n[k] d[c, k]; d is 1 for different
    nominal classes, and for ordinal ones the square of the number of labels between the middles
    of the two classes (Krippendorff, Content Analysis, 2004, ch. 11).

    Raises:
        ValueError: a label is not in ``order``, or ``order`` names one twice.
    """
    if not len(frame.items):
        return Agreement(None, None, None, None, 0, why_undefined(0, 0, 0))
    _, table = count_table(frame, order)
    people = len(np.unique(frame.annotators))
    return alpha_of_table(table, rng, ordinal=order is not None, people=people, resamples=resamples)


def count_table(
    frame: LabelFrame, order: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Items (I,) and (I, K): how often item i got class c, classes in ``order`` if given."""
    items, classes, table = frame.counts()
    if order is None:
        return items, table
    return items, in_order(classes, table, order)


def in_order(
    classes: NDArray[np.str_], table: NDArray[np.int64], order: Sequence[str]
) -> NDArray[np.int64]:
    """The columns of ``table`` (I, K) as ``order`` ranks them, none for classes never given."""
    places = {name: place for place, name in enumerate(order)}
    if len(places) != len(order):
        raise ValueError(f"order names a class twice: {list(order)}")
    unknown = sorted(set(classes.tolist()) - places.keys())
    if unknown:
        raise ValueError(f"labels {unknown} are not in order {list(order)}: add them to it")
    columns = np.argsort([places[name] for name in classes.tolist()])
    return np.asarray(table[:, columns])


def alpha_of_table(
    table: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    ordinal: bool,
    people: int,
    resamples: int = RESAMPLES,
) -> Agreement:
    """Alpha of (items, classes) counts."""
    labels = int(table.sum())
    table = table[table.sum(axis=1) >= 2]
    items = len(table)
    if not items:
        return Agreement(None, None, None, None, 0, why_undefined(labels, people, 0))
    counts, times, prior = unseen_patterns(*patterns_of(table))
    patterns = counts.astype(np.float64)
    alphas = _OrdinalAlphas(patterns) if ordinal else _NominalAlphas(patterns)
    alpha = value_or_none(float(alphas(times[None, :].astype(np.float64))[0]))
    low = high = None
    if alpha is not None:
        low, high = bootstrap_interval(alphas, times, prior, rng, resamples)
    totals = patterns.sum(axis=1)
    agreeing = times @ (patterns * (patterns - 1)).sum(axis=1)
    return Agreement(
        alpha=alpha,
        low=low,
        high=high,
        percent=float(agreeing / (times @ (totals * (totals - 1)))),
        items=items,
        why=ONE_CLASS if alpha is None else None,
    )


class _NominalAlphas:
    """One alpha for each row of weights: (resamples, patterns) times a row counts."""

    def __init__(self, patterns: NDArray[np.float64]) -> None:
        self.patterns = patterns
        totals = patterns.sum(axis=1)
        self.disagreeing = (totals**2 - (patterns**2).sum(axis=1)) / (totals - 1)

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        observed = weights @ self.disagreeing
        margins = weights @ self.patterns
        pairable = margins.sum(axis=1)
        return _alphas(pairable, observed, pairable**2 - (margins**2).sum(axis=1))


class _OrdinalAlphas:
    """The same with distances that depend on how often each class was given."""

    def __init__(self, patterns: NDArray[np.float64]) -> None:
        self.patterns = patterns
        self.first, self.second = np.triu_indices(patterns.shape[1], k=1)
        shares = patterns / np.sqrt(patterns.sum(axis=1, keepdims=True) - 1)
        self.coincidences = 2 * shares[:, self.first] * shares[:, self.second]

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        margins = weights @ self.patterns
        middles = np.cumsum(margins, axis=1) - margins / 2
        distances = (middles[:, self.second] - middles[:, self.first]) ** 2
        observed = ((weights @ self.coincidences) * distances).sum(axis=1)
        chance = 2 * margins[:, self.first] * margins[:, self.second]
        return _alphas(margins.sum(axis=1), observed, (chance * distances).sum(axis=1))


def _alphas(
    pairable: NDArray[np.float64], observed: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (pairable - 1) * observed / expected, np.nan))


def cohen_kappas(frame: LabelFrame) -> dict[tuple[int, int], float | None]:
    """Cohen's kappa of each pair of annotators over the items both labelled.

    kappa = (p_o - p_e) / (1 - p_e); None where p_e is 1 (Cohen 1960).
    """
    pairs = pair_counts(frame)
    return {
        (first, second): value_or_none(value)
        for first, second, value in zip(
            pairs.first.tolist(), pairs.second.tolist(), pairs.kappas().tolist(), strict=True
        )
    }
