"""Accuracy by confidence, as SVG geometry: on the diagonal probabilities mean what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.model_reports.schemas import CalibrationBin
from backend.web.chart import Tick

SIZE, LEFT, TOP, BOTTOM, RIGHT = 320, 64, 14, 52, 16


@dataclass(frozen=True)
class ReliabilityMark:
    """One bin with enough records, in picture coordinates."""

    x: float
    y: float
    low_y: float
    high_y: float
    title: str


@dataclass(frozen=True)
class ReliabilityPicture:
    """Everything the template needs."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    marks: list[ReliabilityMark]


def reliability_picture(bins: Sequence[CalibrationBin]) -> ReliabilityPicture | None:
    """The picture of the bins that have enough records; None where none has."""
    right, bottom = LEFT + SIZE, TOP + SIZE

    def y(share: float) -> float:
        return bottom - SIZE * share

    marks = [
        ReliabilityMark(
            LEFT + SIZE * each.confidence,
            y(told.value),
            y(told.low),
            y(told.high),
            f"{100 * each.confidence:.0f} % → {100 * told.value:.0f} % "
            f"({100 * told.low:.0f} – {100 * told.high:.0f}), n = {told.n}",
        )
        for each in bins
        if (told := each.accuracy).value is not None
        and told.low is not None
        and told.high is not None
        and each.confidence is not None
    ]
    if not marks:
        return None
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    return ReliabilityPicture(
        right + RIGHT,
        bottom + BOTTOM,
        LEFT,
        right,
        TOP,
        bottom,
        [Tick(LEFT + SIZE * share, f"{100 * share:.0f} %") for share in shares],
        [Tick(y(share), f"{100 * share:.0f} %") for share in shares],
        marks,
    )
