"""Agreement where it matters: by slice of the data, by pair of annotators, over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.agreement import Agreement, alpha_of_table, count_table
from labeling.consensus.base import LabelFrame
from labeling.consensus.kappa import (
    Kappa,
    Weights,
    cell_prior,
    costs_of,
    kappas_of_cells,
    pair_counts,
)
from labeling.consensus.resampling import (
    RESAMPLES,
    draw_weights,
    interval_of,
    value_or_none,
)
from labeling.consensus.words import ONE_CLASS

PAIR_RESAMPLES = 300
"""Chosen: fewer than ``RESAMPLES``, as there may be thousands of pairs."""
_CELLS = 4_000_000
"""Of one block of draws. Chosen: bounds memory to 32 MB of numbers."""


@dataclass(frozen=True)
class PeriodAgreement:
    """The agreement on the items of the days ``first`` to ``last``, both counted."""

    first: date
    last: date
    agreement: Agreement


@dataclass(frozen=True)
class PairKappa:
    """Cohen's kappa of two annotators over the items both labelled; ``first < second``."""

    first: int
    second: int
    kappa: Kappa


def agreement_by_slice(
    frame: LabelFrame,
    slice_of: Mapping[int, str],
    rng: np.random.Generator,
    *,
    order: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Agreement]:
    """Slice name to its alpha, names sorted; items without a slice are left out."""
    if not len(frame.items):
        return {}
    items, table = count_table(frame, order)
    named = [slice_of.get(item) for item in items.tolist()]
    kept = np.array([name is not None for name in named], dtype=bool)
    names, places = np.unique([name for name in named if name is not None], return_inverse=True)
    found = _by_group(frame, items[kept], table[kept], places, order is not None, rng, resamples)
    return {str(name): found[place] for place, name in enumerate(names.tolist())}


def agreement_over_time(
    frame: LabelFrame,
    day_of: Mapping[int, date],
    rng: np.random.Generator,
    *,
    days: int = 7,
    order: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> list[PeriodAgreement]:
    """Alpha of each period of ``days`` days in which items were labelled, oldest first.

    Periods of seven days are weeks from Monday; later labels never move a period's borders.
    """
    if days < 1:
        raise ValueError(f"days is {days}: a period has at least one day")
    if not len(frame.items):
        return []
    items, table = count_table(frame, order)
    known = [day_of.get(item) for item in items.tolist()]
    kept = np.array([day is not None for day in known], dtype=bool)
    periods, places = np.unique(
        np.array([(day.toordinal() - 1) // days for day in known if day is not None], dtype=int),
        return_inverse=True,
    )
    found = _by_group(frame, items[kept], table[kept], places, order is not None, rng, resamples)
    return [
        PeriodAgreement(
            date.fromordinal(max(1, start)),
            date.fromordinal(max(1, start)) + timedelta(days=days - 1),
            found[place],
        )
        for place, start in enumerate((periods * days + 1).tolist())
    ]


def agreement_by_pair(
    frame: LabelFrame,
    rng: np.random.Generator,
    *,
    order: Sequence[str] | None = None,
    weights: Weights | None = None,
    resamples: int = PAIR_RESAMPLES,
) -> list[PairKappa]:
    """Cohen's kappa of every pair that shares an item, least agreeing first, undefined last."""
    if weights is not None and order is None:
        raise ValueError(f"weights={weights!r} needs order: the classes from lowest to highest")
    if not len(frame.items):
        return []
    pairs = pair_counts(frame, order)
    if not len(pairs.first):
        return []
    k = len(pairs.classes)
    costs = costs_of(k, weights)
    values = pairs.kappas(weights)
    totals = pairs.cells.sum(axis=1)
    same = pairs.cells[:, :: k + 1].sum(axis=1)
    found: list[PairKappa] = []
    block = max(1, _CELLS // (resamples * k * k))
    for start in range(0, len(totals), block):
        part = slice(start, start + block)
        prior = cell_prior(pairs.cells[part], k)
        draws = draw_weights(pairs.cells[part], prior, rng, resamples)
        samples = kappas_of_cells(draws, costs)
        for place in range(samples.shape[1]):
            row = start + place
            value = value_or_none(float(values[row]))
            low, high = interval_of(samples[:, place], float(values[row]))
            kappa = Kappa(
                value,
                low,
                high,
                float(same[row] / totals[row]),
                int(totals[row]),
                ONE_CLASS if value is None else None,
            )
            found.append(PairKappa(int(pairs.first[row]), int(pairs.second[row]), kappa))
    return sorted(found, key=lambda pair: (pair.kappa.kappa is None, pair.kappa.kappa or 0.0))


def _by_group(
    frame: LabelFrame,
    items: NDArray[np.int64],
    table: NDArray[np.int64],
    places: NDArray[np.intp],
    ordinal: bool,
    rng: np.random.Generator,
    resamples: int,
) -> list[Agreement]:
    """One agreement a group of items; ``places`` (items,) says which."""
    groups = int(places.max(initial=-1)) + 1
    people = _people_of_groups(frame, items, places, groups)
    by_group = np.argsort(places, kind="stable")
    borders = np.searchsorted(places[by_group], np.arange(groups + 1))
    return [
        alpha_of_table(
            table[by_group[borders[group] : borders[group + 1]]],
            rng,
            ordinal=ordinal,
            people=int(people[group]),
            resamples=resamples,
        )
        for group in range(groups)
    ]


def _people_of_groups(
    frame: LabelFrame, items: NDArray[np.int64], places: NDArray[np.intp], groups: int
) -> NDArray[np.int64]:
    """(groups,) how many annotators labelled in each."""
    if not groups:
        return np.zeros(0, dtype=np.int64)
    rows = np.minimum(np.searchsorted(items, frame.items), len(items) - 1)
    kept = items[rows] == frame.items
    _, who = np.unique(frame.annotators, return_inverse=True)
    both = np.unique(places[rows[kept]].astype(np.int64) * (int(who.max()) + 1) + who[kept])
    return np.bincount(both // (int(who.max()) + 1), minlength=groups)
