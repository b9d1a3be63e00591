"""The learning curve of a project as a picture."""

from collections.abc import Sequence

from backend.overview.schemas import CurvePointPublic
from backend.web.chart import LearningCurve, Measurement, learning_curve
from backend.web.rendering import percent


def curve_picture(curve: Sequence[CurvePointPublic]) -> LearningCurve | None:
    """The picture, or None where no version was measured."""
    return learning_curve(
        [
            Measurement(
                labels=point.labels,
                value=point.accuracy.value,
                low=point.accuracy.low,
                high=point.accuracy.high,
                title=f"v{point.model_version}: {percent(point.accuracy.value)} "
                f"({percent(point.accuracy.low)} – {percent(point.accuracy.high)})",
                is_highlighted=point.is_champion,
            )
            for point in curve
        ]
    )
