"""How suspicion spreads over the labels of each grade, as SVG geometry."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.web.chart import Tick, letters, short_caption
from labeling.label_schema import Titles

WIDTH, ROW = 480, 58
LEFT, RIGHT, TOP, BOTTOM, GAP = 84, 12, 8, 44, 12
BINS = 20
"""Chosen: steps of 0.05, which people read off an axis."""
LETTER, MARGIN = 8, 20
"""Pixels of a Latin letter of a caption and beside it."""


@dataclass(frozen=True)
class Bar:
    """One step of suspicion of one grade."""

    x: float
    y: float
    width: float
    height: float
    is_suspect: bool
    title: str


@dataclass(frozen=True)
class GradeRow:
    """The labels of one grade; ``caption`` is as much of its title as fits."""

    caption: str
    title: str
    labels: int
    suspected: int
    base: float
    bars: list[Bar]


@dataclass(frozen=True)
class SuspicionPicture:
    """A histogram a grade, all on one scale; coordinates lie inside ``width`` × ``height``."""

    width: int
    height: int
    left: int
    right: int
    bottom: float
    rows: list[GradeRow]
    ticks: list[Tick]


def suspicion_picture(
    suspicions: Sequence[tuple[str, float]], grades: Sequence[str], titles: Titles
) -> SuspicionPicture | None:
    """The picture, or None where no label was judged.

    Heights are shares of the grade's labels, so that rare grades can be compared with others;
    they grow with the square root, so that a few suspected labels can be seen.
    """
    if not suspicions:
        return None
    shown = [grade for grade in grades if any(grade == given for given, _ in suspicions)]
    captions = [short_caption(titles.grade(grade)) for grade in shown]
    left = max(LEFT, LETTER * max(map(letters, captions), default=0) + MARGIN)
    right = left + WIDTH - LEFT - RIGHT
    step = (right - left) / BINS
    rows = []
    for place, grade in enumerate(shown):
        values = [value for given, value in suspicions if given == grade]
        counts = [0] * BINS
        for value in values:
            counts[min(int(value * BINS), BINS - 1)] += 1
        base = TOP + (place + 1) * ROW
        bars = []
        for number, count in enumerate(counts):
            if not count:
                continue
            height = max((ROW - GAP) * (count / len(values)) ** 0.5, 2.0)
            bars.append(
                Bar(
                    left + number * step + 1,
                    base - height,
                    step - 2,
                    height,
                    number >= BINS // 2,
                    f"{100 * number // BINS}–{100 * (number + 1) // BINS} %: {count}",
                )
            )
        suspected = sum(value > 0.5 for value in values)
        title = titles.grade(grade)
        rows.append(GradeRow(captions[place], title, len(values), suspected, base, bars))
    bottom = TOP + len(shown) * ROW
    return SuspicionPicture(
        right + RIGHT,
        bottom + BOTTOM,
        left,
        right,
        bottom,
        rows,
        [Tick(left + (right - left) * share / 100, f"{share} %") for share in (0, 25, 50, 75, 100)],
    )
