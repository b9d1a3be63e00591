"""Did an annotator's share of right answers change over time?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.rates import Rate, rate
from labeling.words import Words

SMALLEST_WINDOW = 20
"""Answers a window at least: one wrong answer more moves its share by 5 points. Chosen."""
MOST_WINDOWS = 12
"""Windows at most, so that the search for the border costs little power. Chosen."""
DRAWS = 999
_MORE_DRAWS = 19_999
"""Random orders that are drawn first, and where those make chance a rare explanation (1 %): a
small p-value needs many draws to be told from another, a large one none."""
_NONE = Words("No answers can be compared.")


@dataclass(frozen=True)
class Drift:
    """The share of right answers window by window, and whether it changed.

    Attributes:
        windows: in time order, of nearly equal numbers of answers.
        p_value: of "it never changed"; None where there are too few answers to ask.
        adjusted: the same, corrected for how many annotators were asked (Holm).
        changed: ``adjusted`` is at most the level asked for.
        before, after: shares on both sides of the most marked change, where it changed.
        first_after: place in time order of the first answer after it.
    """

    windows: tuple[Rate, ...]
    p_value: float | None
    adjusted: float | None
    changed: bool
    before: Rate | None
    after: Rate | None
    first_after: int | None
    words: Words


def drifts(
    right_of: Sequence[NDArray[np.bool_]], rng: np.random.Generator, level: float = 0.05
) -> list[Drift]:
    """One drift an annotator; among annotators that never changed, any alarm has chance ``level``.

    ``right_of`` holds (n,) for each annotator: whether each answer was right, in time order. The
    most marked difference between the answers before and after any border of windows is compared
    with that of the same answers in random order, which is exact where order does not matter;
    Holm's correction keeps the chance of one false alarm among all annotators.
    """
    found = [_drift_of(right, rng, level / max(1, len(right_of))) for right in right_of]
    asked = [(one.p_value, place) for place, one in enumerate(found) if one.p_value is not None]
    largest = 0.0
    for rank, (p_value, place) in enumerate(sorted(asked)):
        largest = min(1.0, max(largest, p_value * (len(asked) - rank)))
        found[place] = _decide(replace(found[place], adjusted=largest), level)
    return found


def _drift_of(right: NDArray[np.bool_], rng: np.random.Generator, finest: float) -> Drift:
    of = len(right)
    if of < 2 * SMALLEST_WINDOW:
        words = Words(
            "{answers} answers can be compared; change over time needs {needed}.",
            answers=of,
            needed=2 * SMALLEST_WINDOW,
        )
        few = rate(int(right.sum()), of, _NONE)
        return Drift((few,) if of else (), None, None, False, None, None, None, words)
    parts = np.array_split(right, min(MOST_WINDOWS, of // SMALLEST_WINDOW))
    sizes = np.array([len(part) for part in parts])
    counts = np.array([int(part.sum()) for part in parts])
    windows = tuple(
        rate(int(count), int(size), _NONE) for count, size in zip(counts, sizes, strict=True)
    )
    contrast = _contrasts(counts[None, :], sizes)[0]
    p_value = 1.0
    if 0 < counts.sum() < of:
        # Random order of the answers, told as how many right ones fall in each window.
        for draws in (DRAWS, _MORE_DRAWS):
            shuffled = rng.multivariate_hypergeometric(
                sizes, int(counts.sum()), size=draws, method="marginals"
            )
            beyond = (_contrasts(shuffled, sizes).max(axis=1) >= contrast.max() - 1e-9).sum()
            p_value = float((1 + beyond) / (1 + draws))
            if p_value > max(0.01, 3 * finest):
                break
    border = int(sizes[: int(contrast.argmax()) + 1].sum())
    return Drift(
        windows,
        p_value,
        None,
        False,
        rate(int(right[:border].sum()), border, _NONE),
        rate(int(right[border:].sum()), of - border, _NONE),
        border,
        _NONE,
    )


def _contrasts(counts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, windows - 1) the standardised difference of the shares on both sides of each border."""
    of, before = sizes.sum(), np.cumsum(sizes)[:-1]
    share = counts.sum(axis=1, keepdims=True) / of
    surplus = np.cumsum(counts, axis=1)[:, :-1] - before * share
    spread = np.sqrt(before * (of - before) / of * (share * (1 - share)).clip(1e-12))
    return np.asarray(np.abs(surplus) / spread)


def _decide(drift: Drift, level: float) -> Drift:
    before, after = drift.before, drift.after
    if drift.adjusted is None or before is None or after is None:
        return drift
    if drift.adjusted > level or before.value is None or after.value is None:
        words = Words("No change over time beyond chance.")
        return replace(drift, before=None, after=None, first_after=None, words=words)
    shares = {
        "first": 100 * before.value,
        "before": before.of,
        "last": 100 * after.value,
        "since": after.of,
    }
    if after.value < before.value:
        words = Words(
            "The share of right answers fell from {first:.0f} % ({before:,} answers) to "
            "{last:.0f} % ({since:,} since).",
            **shares,
        )
    else:
        words = Words(
            "The share of right answers rose from {first:.0f} % ({before:,} answers) to "
            "{last:.0f} % ({since:,} since).",
            **shares,
        )
    return replace(drift, changed=True, words=words)
