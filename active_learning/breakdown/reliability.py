"""Whether probabilities mean what they say: accuracy by confidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.breakdown.shares import Share, share_of
from active_learning.evaluation import BINS, confidence_bins


@dataclass(frozen=True)
class ConfidenceBin:
    """Records of which the classifier was about equally sure."""

    low: float
    high: float
    confidence: float | None
    """Mean; None without a record."""
    accuracy: Share


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[ConfidenceBin]:
    """The bins of the expected calibration error, from 0 to 1.

    Args:
        confidence: (n,) of the most probable class.
        right: (n,) whether that class was the true one.
    """
    bins = confidence_bins(confidence)
    found = []
    for number in range(BINS):
        inside = bins == number
        n = int(inside.sum())
        found.append(
            ConfidenceBin(
                number / BINS,
                (number + 1) / BINS,
                float(confidence[inside].mean()) if n else None,
                share_of(int(right[inside].sum()), n),
            )
        )
    return found
