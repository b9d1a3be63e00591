"""The learning curve as SVG geometry; the template draws it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 16, 54
LONGEST_CAPTION = 18
"""Latin letters of a name beside a chart. Chosen: the chart keeps most of a phone's width."""
STEPS = (1, 2, 5)
"""Between ticks, times a power of ten: what people count in."""


def letters(text: str) -> int:
    """How many Latin letters are as wide; a Chinese character is two."""
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def short_caption(name: str) -> str:
    """As much of the name as fits beside a chart; who draws it gives the whole as a title."""
    if letters(name) <= LONGEST_CAPTION:
        return name
    kept = name
    while letters(kept) >= LONGEST_CAPTION:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


@dataclass(frozen=True)
class Measurement:
    """A share with its interval at a number of labels."""

    labels: int
    value: float
    low: float | None
    high: float | None
    title: str
    is_highlighted: bool = False


@dataclass(frozen=True)
class Mark:
    """A measurement in picture coordinates."""

    x: float
    y: float
    low_y: float | None
    high_y: float | None
    title: str
    is_highlighted: bool


@dataclass(frozen=True)
class Tick:
    """A line of the grid and its caption."""

    at: float
    caption: str


@dataclass(frozen=True)
class LearningCurve:
    """Everything the template needs; coordinates lie inside ``width`` × ``height``."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    marks: list[Mark]

    @property
    def line(self) -> str:
        """The points of the line through all marks."""
        return " ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in self.marks)


def learning_curve(measurements: Sequence[Measurement]) -> LearningCurve | None:
    """The picture of ``measurements``, or None where there is nothing to draw.

    The horizontal axis starts at 0 labels; the vertical one ends at 100 % and starts at the
    10 % step below the lowest interval, so that a difference is neither hidden nor blown up.
    """
    if not measurements:
        return None
    ordered = sorted(measurements, key=lambda item: item.labels)
    x_step = _step(max(item.labels for item in ordered) / 6)
    x_end = x_step * math.ceil(max(item.labels for item in ordered) / x_step)
    lowest = min(item.value if item.low is None else item.low for item in ordered)
    y_start = max(0.0, math.floor(lowest * 10 - 1e-9) / 10)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(labels: float) -> float:
        return LEFT + (right - LEFT) * labels / x_end

    def y(value: float) -> float:
        share = (min(max(value, y_start), 1.0) - y_start) / (1.0 - y_start)
        return bottom - (bottom - TOP) * share

    every = 2 if 1.0 - y_start > 0.55 else 1
    tenths = range(10, round(y_start * 10) - 1, -every)
    return LearningCurve(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=right,
        top=TOP,
        bottom=bottom,
        x_ticks=[Tick(x(at), f"{at:,}") for at in range(0, x_end + 1, x_step)],
        y_ticks=[Tick(y(tenth / 10), f"{tenth * 10} %") for tenth in tenths],
        marks=[
            Mark(
                x=x(item.labels),
                y=y(item.value),
                low_y=None if item.low is None else y(item.low),
                high_y=None if item.high is None else y(item.high),
                title=item.title,
                is_highlighted=item.is_highlighted,
            )
            for item in ordered
        ],
    )


def _step(rough: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is at least ``rough``."""
    power: int = 10 ** max(0, math.floor(math.log10(max(rough, 1))))
    for step in (*STEPS, 10):
        if step * power >= rough:
            return step * power
    return 10 * power
