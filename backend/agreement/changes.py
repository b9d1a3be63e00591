"""Whose work changed over time, where people are compared with each other."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.annotator_quality import ENOUGH_GOLD, AnnotatorQuality, annotator_quality
from labeling.consensus.base import LabelFrame
from labeling.consensus.drift import Drift

MOST_STEPS = 20
"""Chosen: a bound; the search ends sooner as a rule."""


def changes(
    found: Mapping[int, AnnotatorQuality],
    frame: LabelFrame,
    times: NDArray[np.float64],
    gold: Mapping[int, str],
    rng: np.random.Generator,
) -> dict[int, Drift]:
    """Annotator to what is said of change over time.

    Somebody who changes makes everybody seem to change who is compared with them. So who changed
    most is named first, and the rest are compared anew without those answers, until nobody else
    seems to change. Two people who only have each other cannot be told apart: both are named.
    Whoever has answered enough decided records is judged by these alone.
    """
    named: dict[int, Drift] = {}
    current = found
    for _ in range(MOST_STEPS):
        changed = {
            person: _size(quality.drift)
            for person, quality in current.items()
            if quality.drift.changed and quality.against_gold.of < ENOUGH_GOLD
        }
        if not changed:
            break
        most = max(changed.values())
        for person, size in changed.items():
            if size >= most - 1e-9:
                named[person] = current[person].drift
        rest = ~np.isin(frame.annotators, list(named))
        current = annotator_quality(
            LabelFrame(frame.items[rest], frame.annotators[rest], frame.labels[rest]),
            rng,
            gold=gold,
            times=times[rest],
        )
    return {
        person: named.get(person) or current.get(person, quality).drift
        for person, quality in found.items()
    }


def _size(drift: Drift) -> float:
    before, after = drift.before, drift.after
    if before is None or after is None or before.value is None or after.value is None:
        return 0.0
    return abs(after.value - before.value)
