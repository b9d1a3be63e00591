"""The measures inside a model version's metrics; a missing or odd one is None, never a guess."""

import math
from typing import Any

from backend.models import ModelVersion, Promotion
from backend.overview.schemas import EstimatePublic, VersionComparison


def estimate_of(version: ModelVersion, name: str) -> EstimatePublic | None:
    """The measure ``name`` with its interval: a mapping with ``value`` (``alpha`` for the
    agreement) and perhaps ``low``, ``high``, ``n``; or a bare number."""
    return _estimate(version.metrics.get(name))


def comparison_of(promotion: Promotion, champion: int) -> VersionComparison | None:
    """What the gate measured of challenger and champion, number ``champion``, on one sample."""
    evidence = promotion.evidence
    accuracy, other = _estimate(evidence.get("challenger")), _estimate(evidence.get("champion"))
    difference = _estimate(evidence.get("difference"))
    if accuracy is None or other is None or difference is None:
        return None
    return VersionComparison(
        champion=champion, accuracy=accuracy, champion_accuracy=other, difference=difference
    )


def _estimate(measure: Any) -> EstimatePublic | None:
    if not isinstance(measure, dict):
        measure = {"value": measure}
    value = _number(measure.get("value", measure.get("alpha")))
    if value is None:
        return None
    count = _number(measure.get("n"))
    return EstimatePublic(
        value=value,
        low=_number(measure.get("low")),
        high=_number(measure.get("high")),
        n=int(count) if count is not None else None,
    )


def labels_of(version: ModelVersion) -> int:
    """The labels that were known when it was trained."""
    labels = _number(version.metrics.get("labels"))
    return int(labels) if labels is not None else version.training_labels


def round_of(version: ModelVersion) -> int | None:
    """The round whose labels it learned last."""
    number = _number(version.metrics.get("round"))
    return int(number) if number is not None else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
