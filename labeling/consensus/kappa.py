"""Cohen's, weighted Cohen's and Fleiss' kappa with bootstrap intervals over items."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import LabelFrame
from labeling.consensus.resampling import (
    RESAMPLES,
    bootstrap_interval,
    patterns_of,
    unseen_patterns,
    value_or_none,
)
from labeling.consensus.words import NO_OVERLAP, ONE_CLASS, why_undefined
from labeling.words import Words

Weights = Literal["linear", "quadratic"]


@dataclass(frozen=True)
class Kappa:
    """A kappa with its 95 % bootstrap interval over items.

    ``percent`` is the share of agreeing pairs of labels, ``items`` what it was computed from.
    ``kappa`` is None where chance alone explains full agreement or there is nothing to
    compare; ``why`` says which.
    """

    kappa: float | None
    low: float | None
    high: float | None
    percent: float | None
    items: int
    why: Words | None = None


def cohen_kappa(
    first: NDArray[np.str_],
    second: NDArray[np.str_],
    rng: np.random.Generator,
    *,
    order: Sequence[str] | None = None,
    weights: Weights | None = None,
    resamples: int = RESAMPLES,
) -> Kappa:
    """Agreement of two annotators' labels of the same items, (n,) each.

    kappa = 1 - sum w o / sum w e with w = 1 off the diagonal, or |i - j| (linear) or
    (i - j)^2 (quadratic) by the places of the classes in ``order`` (Cohen 1960, 1968).

    Raises:
        ValueError: the lengths differ, weights without an order, or a label not in ``order``.
    """
    if len(first) != len(second):
        raise ValueError(f"first and second differ in length: {len(first)}, {len(second)}")
    if weights is not None and order is None:
        raise ValueError(f"weights={weights!r} needs order: the classes from lowest to highest")
    if not len(first):
        return Kappa(None, None, None, None, 0, NO_OVERLAP)
    given = np.concatenate([first, second])
    classes, codes = label_codes(given, order)
    n = len(first)
    table = np.bincount(codes[:n] * len(classes) + codes[n:], minlength=len(classes) ** 2)
    return _kappa_of_cells(table, costs_of(len(classes), weights), rng, resamples)


def label_codes(
    labels: NDArray[np.str_], order: Sequence[str] | None
) -> tuple[list[str], NDArray[np.intp]]:
    """The classes, in ``order`` where given, and the place (n,) of each label (n,) among them."""
    found, codes = np.unique(labels, return_inverse=True)
    if order is None:
        return found.tolist(), codes
    places = {name: place for place, name in enumerate(order)}
    if len(places) != len(order):
        raise ValueError(f"order names a class twice: {list(order)}")
    unknown = sorted(set(found.tolist()) - places.keys())
    if unknown:
        raise ValueError(f"labels {unknown} are not in order {list(order)}: add them to it")
    return list(order), np.array([places[name] for name in found.tolist()], dtype=np.intp)[codes]


def costs_of(classes: int, weights: Weights | None) -> NDArray[np.float64]:
    """(classes, classes) what each disagreement costs."""
    places = np.arange(classes, dtype=np.float64)
    apart = np.abs(places[:, None] - places[None, :])
    if weights is None:
        return (apart > 0).astype(np.float64)
    return apart if weights == "linear" else apart**2


def kappas_of_cells(tables: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...,): kappa of each contingency of (..., classes * classes); nan where undefined."""
    k = len(costs)
    cells = tables.reshape(*tables.shape[:-1], k, k)
    total = cells.sum(axis=(-2, -1))
    observed = (cells * costs).sum(axis=(-2, -1)) * total
    rows, columns = cells.sum(axis=-1), cells.sum(axis=-2)
    expected = ((rows @ costs) * columns).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - observed / expected, np.nan))


def cell_prior(tables: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """One item spread over contingencies (..., classes * classes), half of it agreeing.

    Cells of classes that neither annotator gave have none; see ``drawn_weights``.
    """
    cells = tables.reshape(*tables.shape[:-1], classes, classes)
    used = (cells.sum(axis=-1) + cells.sum(axis=-2)) > 0
    both = used[..., :, None] & used[..., None, :]
    agrees = np.eye(classes, dtype=bool)
    number = used.sum(axis=-1)[..., None, None]
    prior = np.where(agrees, 0.5 / number, 0.5 / np.maximum(1, number * (number - 1)))
    return np.asarray((both * prior).reshape(tables.shape))


def _kappa_of_cells(
    table: NDArray[np.int64],
    costs: NDArray[np.float64],
    rng: np.random.Generator,
    resamples: int,
) -> Kappa:
    def kappas(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return kappas_of_cells(weights, costs)

    value = value_or_none(float(kappas_of_cells(table.astype(np.float64), costs)))
    prior = cell_prior(table, len(costs))
    interval = (
        (None, None) if value is None else bootstrap_interval(kappas, table, prior, rng, resamples)
    )
    items = int(table.sum())
    diagonal = table[:: len(costs) + 1].sum()
    return Kappa(
        value, *interval, float(diagonal / items), items, ONE_CLASS if value is None else None
    )


@dataclass(frozen=True)
class PairTables:
    """What each pair of annotators answered to the items both labelled.

    ``first`` and ``second`` (p,) annotators with first < second; ``cells`` (p, k * k) counts
    of (class of first, class of second).
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cells: NDArray[np.int64]
    classes: list[str]

    def kappas(self, weights: Weights | None = None) -> NDArray[np.float64]:
        """(p,) Cohen's kappa, nan where undefined."""
        return kappas_of_cells(self.cells.astype(np.float64), costs_of(len(self.classes), weights))


def pair_counts(frame: LabelFrame, order: Sequence[str] | None = None) -> PairTables:
    """Every pair that shares an item; one pass per vote an item has."""
    classes, codes = label_codes(frame.labels, order)
    people, who = np.unique(frame.annotators, return_inverse=True)
    by_item = np.lexsort((who, frame.items))
    items, who, codes = frame.items[by_item], who[by_item], codes[by_item]
    k = len(classes)
    keys = [np.empty(0, dtype=np.int64)]
    for apart in range(1, len(items)):
        same = (items[apart:] == items[:-apart]) & (who[apart:] != who[:-apart])
        if not (items[apart:] == items[:-apart]).any():
            break
        left, right = np.flatnonzero(same), np.flatnonzero(same) + apart
        pair = who[left].astype(np.int64) * len(people) + who[right]
        keys.append(pair * (k * k) + codes[left] * k + codes[right])
    found, times = np.unique(np.concatenate(keys), return_counts=True)
    pairs, rows = np.unique(found // max(k * k, 1), return_inverse=True)
    cells = np.zeros((len(pairs), k * k), dtype=np.int64)
    cells[rows, found % max(k * k, 1)] = times
    return PairTables(
        people[pairs // max(len(people), 1)], people[pairs % max(len(people), 1)], cells, classes
    )


def fleiss_kappa(
    frame: LabelFrame, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> Kappa:
    """Agreement of any annotators on the items with at least two labels.

    kappa = (P - P_e) / (1 - P_e) with P the mean over items of the share of agreeing pairs and
    P_e the sum of squared mean class shares (Fleiss 1971; where items have unequally many
    labels each item weighs the same).
    """
    if not len(frame.items):
        return Kappa(None, None, None, None, 0, why_undefined(0, 0, 0))
    _, _, table = frame.counts()
    table = table[table.sum(axis=1) >= 2]
    if not len(table):
        people = len(np.unique(frame.annotators))
        return Kappa(None, None, None, None, 0, why_undefined(len(frame.items), people, 0))
    patterns, times, prior = unseen_patterns(*patterns_of(table))
    totals = patterns.sum(axis=1)
    agreeing = (patterns * (patterns - 1)).sum(axis=1) / (totals * (totals - 1))
    shares = patterns / totals[:, None]

    def kappas(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = weights.sum(axis=1)
        chance = ((weights @ shares / drawn[:, None]) ** 2).sum(axis=1)
        possible = 1 - chance
        with np.errstate(divide="ignore", invalid="ignore"):
            values = (weights @ agreeing / drawn - chance) / possible
        return np.asarray(np.where(possible > 1e-12, values, np.nan))

    value = value_or_none(float(kappas(times[None, :].astype(np.float64))[0]))
    interval = (
        (None, None) if value is None else bootstrap_interval(kappas, times, prior, rng, resamples)
    )
    percent = float((times @ agreeing) / len(table))
    return Kappa(value, *interval, percent, len(table), ONE_CLASS if value is None else None)
