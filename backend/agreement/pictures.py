"""Agreement over time, and between pairs of people, as SVG geometry; templates draw it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.agreement.schemas import AgreementMeasure, PairAgreement, RatePublic
from backend.web.chart import Tick, short_caption

WIDTH, HEIGHT = 640, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 20, 14, 40
CELL, NAME_WIDTH, FOOT = 46, 178, 24
MOST_CAPTIONS = 5
"""Chosen: dates beside each other do not touch."""
MINUS = "\N{MINUS SIGN}"
BANDS = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Lower ends of the colours of a pair's kappa. Those of Landis and Koch 1977: slight, fair,
moderate, substantial, almost perfect."""


@dataclass(frozen=True)
class IntervalMark:
    """A value with its interval, in picture coordinates."""

    x: float
    y: float
    low_y: float | None
    high_y: float | None
    title: str


@dataclass(frozen=True)
class IntervalPicture:
    """Values in order; coordinates lie inside ``width`` × ``height``."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    zero: float | None
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[str]
    """Points of each line; a gap in the values is a gap in the line."""
    marks: list[IntervalMark]


def interval_picture(
    measures: Sequence[tuple[str, AgreementMeasure | RatePublic]], *, as_percent: bool = False
) -> IntervalPicture | None:
    """(caption, value) in order, equally far apart; None where nothing has a value.

    The axis ends at 1 and starts at the tenth below the lowest interval, at most 0.5.
    """
    edges = [
        value if low is None else low
        for value, low in ((each.value, each.low) for _, each in measures)
        if value is not None
    ]
    if not edges:
        return None
    start = max(-1.0, min(0.5, math.floor(min(edges) * 10 - 1e-9) / 10))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    step = (right - LEFT) / len(measures)

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * (min(max(value, start), 1.0) - start) / (1.0 - start)

    marks: list[IntervalMark] = []
    lines: list[list[str]] = [[]]
    ticks: list[Tick] = []
    every = math.ceil(len(measures) / MOST_CAPTIONS)
    for place, (caption, each) in enumerate(measures):
        x = LEFT + (place + 0.5) * step
        if place % every == 0:
            ticks.append(Tick(x, caption))
        if each.value is None:
            lines.append([])
            continue
        lines[-1].append(f"{x:.1f},{y(each.value):.1f}")
        marks.append(
            IntervalMark(
                x,
                y(each.value),
                None if each.low is None else y(each.low),
                None if each.high is None else y(each.high),
                f"{caption}: {in_words(each, as_percent=as_percent)}",
            )
        )
    by = 2 if 1.0 - start <= 1.0 else 5
    tenths = range(10, round(start * 10) - 1, -by)
    return IntervalPicture(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=right,
        bottom=bottom,
        zero=y(0.0) if start < 0 else None,
        x_ticks=ticks,
        y_ticks=[
            Tick(y(tenth / 10), f"{10 * tenth} %" if as_percent else _tenth(tenth))
            for tenth in tenths
        ],
        lines=[" ".join(points) for points in lines if len(points) > 1],
        marks=marks,
    )


def in_words(each: AgreementMeasure | RatePublic, *, as_percent: bool = False) -> str:
    """The value, its interval and what it was computed from, without words of any language."""
    of = each.items if isinstance(each, AgreementMeasure) else each.of
    if each.value is None:
        return f"– (n = {of:,})"
    scale, digits, unit = (100, 0, " %") if as_percent else (1, 2, "")
    shown = f"{scale * each.value:.{digits}f}{unit}"
    if each.low is not None and each.high is not None:
        shown += f" [{scale * each.low:.{digits}f}, {scale * each.high:.{digits}f}]"
    return f"{shown} (n = {of:,})".replace("-", MINUS)


def _tenth(tenth: int) -> str:
    return f"{tenth / 10:.1f}".replace("-", MINUS)


@dataclass(frozen=True)
class Cell:
    """The kappa of one pair."""

    x: float
    y: float
    band: int
    """0: at or below chance, to 5: nearly always the same."""
    caption: str
    title: str


@dataclass(frozen=True)
class PersonRow:
    """A row's person; ``caption`` is as much of the name as fits."""

    at: float
    caption: str
    title: str


@dataclass(frozen=True)
class PairMatrix:
    """Who agrees with whom."""

    width: int
    height: int
    cell: int
    left: int
    names: list[PersonRow]
    numbers: list[Tick]
    cells: list[Cell]


def pair_matrix(pairs: Sequence[PairAgreement], names: Mapping[int, str]) -> PairMatrix | None:
    """The matrix of the named people, or None where no two share a record.

    People are numbered in the order of ``names``; each pair is drawn once, below the diagonal.
    """
    shown = [
        person for person in names if any(person in (pair.first, pair.second) for pair in pairs)
    ]
    places = {person: place for place, person in enumerate(shown)}
    cells = []
    for pair in pairs:
        if pair.first not in places or pair.second not in places:
            continue
        row, column = sorted((places[pair.first], places[pair.second]), reverse=True)
        value = pair.kappa.value
        cells.append(
            Cell(
                NAME_WIDTH + column * CELL,
                row * CELL,
                sum(value > band for band in BANDS) if value is not None else -1,
                "–" if value is None else f"{value:.2f}".replace("-", MINUS),
                f"{names[shown[row]]} · {names[shown[column]]}: {in_words(pair.kappa)}",
            )
        )
    if not cells:
        return None
    return PairMatrix(
        width=NAME_WIDTH + (len(shown) - 1) * CELL,
        height=len(shown) * CELL + FOOT,
        cell=CELL,
        left=NAME_WIDTH,
        names=[
            PersonRow(
                (place + 0.5) * CELL,
                f"{short_caption(names[person])}  {place + 1}",
                names[person],
            )
            for place, person in enumerate(shown)
        ],
        numbers=[
            Tick(NAME_WIDTH + (place + 0.5) * CELL, str(place + 1))
            for place in range(len(shown) - 1)
        ],
        cells=cells,
    )
