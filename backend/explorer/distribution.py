"""How a probability is spread among records: a small chart whose bars are links."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.explorer.address import Address
from backend.scoring.schemas import HistogramBar

WIDTH, HEIGHT, GAP = 240, 56, 2
BARS = 10
"""Chosen: a bar can be hit with a finger, and the keyboard passes each in turn."""
LEAST = 3.0
"""Height of a bar of few records beside many: it must be seen, and hit."""


@dataclass(frozen=True)
class DistributionBar:
    """One bar in picture coordinates; ``query`` leads to its records."""

    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    count: int
    is_on: bool
    query: str


@dataclass(frozen=True)
class Distribution:
    """Everything that the template needs."""

    name: str
    width: int
    height: int
    bars: tuple[DistributionBar, ...]


def distribution(name: str, counted: Sequence[HistogramBar], address: Address) -> Distribution:
    """The chart of ``confidence`` or ``risk`` from equal bars between 0 and 1."""
    each = len(counted) // BARS
    counts = [
        sum(bar.count for bar in counted[place * each : (place + 1) * each])
        for place in range(BARS)
    ]
    most = max(1, *counts)
    step = (WIDTH + GAP) / BARS
    return Distribution(
        name,
        WIDTH,
        HEIGHT,
        tuple(
            _bar(name, place, count, count / most, step, address)
            for place, count in enumerate(counts)
        ),
    )


def _bar(
    name: str, place: int, count: int, share: float, step: float, address: Address
) -> DistributionBar:
    low, high = place / BARS, (place + 1) / BARS
    names = (f"{name}_from", f"{name}_to")
    bounds = [(names[0], f"{low:g}")] if low > 0 else []
    bounds += [(names[1], f"{high:g}")] if high < 1 else []
    of_now = [pair for pair in address.pairs if pair[0] in names]
    is_on = of_now == bounds
    height = max(LEAST, share * HEIGHT) if count else 0.0
    return DistributionBar(
        x=place * step,
        y=HEIGHT - height,
        width=step - GAP,
        height=height,
        low=low,
        high=high,
        count=count,
        is_on=is_on,
        query=address.with_pairs([] if is_on else bounds, instead_of=names),
    )
