"""Whether more labels are worth their cost: the learning curve drawn on."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from active_learning.stopping import CurvePoint, advise
from backend.models import ModelVersion
from backend.overview.measures import labels_of
from backend.overview.schemas import EstimatePublic, StoppingAdvicePublic
from backend.words import Message

AccuracyOf: TypeAlias = Callable[[ModelVersion], EstimatePublic | None]
"""The accuracy of a version, as everybody tells it."""


def advice_of(
    versions: Sequence[ModelVersion], accuracy_of: AccuracyOf, *, pool: int
) -> StoppingAdvicePublic | None:
    """What as many labels again would gain, or the whole pool if it is smaller.

    None before the first model version and when nothing is left to label.

    Args:
        versions: of one project, oldest first.
        accuracy_of: their accuracies.
        pool: records that nobody has labelled.
    """
    if not versions or pool < 1:
        return None
    points = curve_of(versions, accuracy_of)
    labels = points[-1].labels if points else labels_of(versions[-1])
    advice = advise(points, max(1, min(labels, pool)))
    return StoppingAdvicePublic(
        state=advice.state,
        more_labels=advice.more_labels,
        gain=advice.gain,
        low=advice.low,
        high=advice.high,
        reason_message=Message.of(advice.reason),
    )


def curve_of(versions: Sequence[ModelVersion], accuracy_of: AccuracyOf) -> list[CurvePoint]:
    """One point for each number of labels, by the newest version trained on it.

    A version trained on fewer labels than one before it, because answers were taken back,
    replaces the points from there on.
    """
    points: list[CurvePoint] = []
    for version in versions:
        accuracy, labels = accuracy_of(version), labels_of(version)
        if accuracy is None or not accuracy.n or labels < 1:
            continue
        while points and points[-1].labels >= labels:
            points.pop()
        points.append(CurvePoint(labels, accuracy.value, accuracy.n))
    return points
