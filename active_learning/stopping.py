"""Whether more labels are worth their cost, in words and numbers, from the learning curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from active_learning.exceptions import ShapeMismatch
from active_learning.types import Reason

State: TypeAlias = Literal["too early", "keep labelling", "stop"]
Grid: TypeAlias = NDArray[np.float64]

MIN_POINTS = 3
"""A curve has three parameters."""
MIN_AUDIT = 30
"""Chosen: an accuracy of 0.8 is then known to within 0.14."""
WORTHWHILE = 0.005
"""Chosen: half a per cent of accuracy, less than an audit of some hundreds can show."""
LEVELS = 41
"""Steps of the first accuracy, and of the way from it to one. Chosen: 2.4 % each."""
SHAPES = 12
"""Steps of how fast it bends. Chosen: 20,172 points of the grid for each kind of curve."""
MODEL_NOISE = 0.02
"""Standard deviation of one model's accuracy around its curve, as a share of its error.

Measured .013 to .022 on three text sets with a step of 50 labels, margin and random alike.
"""
WIDENED = 1.25
"""Factor of both sides of the interval: at 1 it covers .69 of the gains on sets that the curves
were not made for, at 1.25 .80 (and .95 on those that they were)."""
NORMAL = norm.ppf((np.arange(9) + 0.5) / 9)
"""Nine equally likely values of a standard normal."""


@dataclass(frozen=True)
class CurvePoint:
    """One round: accuracy on a random audit sample that was not trained on."""

    labels: int
    accuracy: float
    audited: int


@dataclass(frozen=True)
class StoppingAdvice:
    """What ``more_labels`` further labels would gain in accuracy (0 to 1), 80 % interval."""

    state: State
    more_labels: int
    gain: float | None
    low: float | None
    high: float | None
    reason: Reason


def advise(
    points: Sequence[CurvePoint], more_labels: int, *, worthwhile: float = WORTHWHILE
) -> StoppingAdvice:
    """Advice from the rounds so far.

    Three falling-error curves (inverse power law, exponential, inverse logarithm) are fitted at
    once: the posterior over a grid of their parameters under binomial noise of every point. The
    rounds are measured on one growing audit sample, so the same records count again and again:
    the likelihood is tempered to the weight of the last round's records, the number of distinct
    ones. (Composite likelihood; for rounds with samples of their own the interval is too wide.)
    The interval is for the two models, not for the curve: each strays by ``MODEL_NOISE``.

    Measured coverage of the 80 % interval (logistic regression, 160 to 360 audits, gains of 50 to
    250 labels): .95 over three text sets, from which ``MODEL_NOISE`` comes; .80 over a fourth and
    two generated tables, on one of which accuracy falls with more labels, which no curve here
    does (there about .5). So it is a rule of thumb, not a guarantee.

    Args:
        points: rounds in growing order of labels.
        more_labels: how many further labels are considered.
        worthwhile: gain in accuracy below which labelling is no longer worth it.

    Raises:
        ShapeMismatch: labels do not grow, or a value is outside its range.
    """
    labels = np.array([p.labels for p in points], float)
    if more_labels < 1 or (len(labels) and labels[0] < 1) or (np.diff(labels) <= 0).any():
        raise ShapeMismatch("Give rounds in growing order of labels, and more_labels above zero.")
    if any(not 0.0 <= p.accuracy <= 1.0 or p.audited < 0 for p in points):
        raise ShapeMismatch("accuracy is a share from 0 to 1, audited a count.")
    used = [p for p in points if p.audited > 0]
    if len(used) < MIN_POINTS or used[-1].audited < MIN_AUDIT:
        audited = used[-1].audited if used else 0
        return StoppingAdvice(
            "too early",
            more_labels,
            None,
            None,
            None,
            Reason(
                "too early to say: {rounds} and {records}; {least_rounds} rounds and "
                "{least_records} records are needed",
                rounds=Reason.ngettext("{n} round", "{n} rounds", n=len(used)),
                records=Reason.ngettext("{n:,} audited record", "{n:,} audited records", n=audited),
                least_rounds=MIN_POINTS,
                least_records=MIN_AUDIT,
            ),
        )
    curve, belief = _posterior_gains(used, more_labels)
    stray = MODEL_NOISE * np.sqrt(2.0) * (1.0 - used[-1].accuracy)
    gains = (curve[:, None] + stray * NORMAL).ravel()
    weights = np.repeat(belief / len(NORMAL), len(NORMAL))
    order = np.argsort(gains)
    mass = np.cumsum(weights[order])
    low, gain, high = (
        float(gains[order][min(int(np.searchsorted(mass, q)), len(mass) - 1)])
        for q in (0.1, 0.5, 0.9)
    )
    low, high = gain - WIDENED * (gain - low), gain + WIDENED * (high - gain)
    state: State = "stop" if high < worthwhile or gain < worthwhile / 2 else "keep labelling"
    return StoppingAdvice(
        state, more_labels, gain, low, high, _words(state, more_labels, gain, low, high)
    )


def _posterior_gains(points: Sequence[CurvePoint], more_labels: int) -> tuple[Grid, Grid]:
    """Gains of every curve of the grid and their posterior weights, which sum to one."""
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    first = points[0].labels
    start = levels[:, None, None]
    end = start + (1.0 - start) * levels[None, :, None]
    audited = np.array([p.audited for p in points], float)
    hits = np.array([p.accuracy for p in points]) * audited
    last = points[-1].labels
    distinct = float(audited.max() / audited.sum())
    gains, logs = [], []
    for family in ("power", "exponential", "logarithm"):

        def accuracy(labels: float, family: str = family) -> Grid:
            value: Grid = end - (end - start) * _removable_error_left(labels / first, family)
            return np.clip(value, 1e-6, 1 - 1e-6)

        fit = np.zeros((LEVELS, LEVELS, SHAPES))
        for point, right, total in zip(points, hits, audited, strict=True):
            p = accuracy(point.labels)
            fit += right * np.log(p) + (total - right) * np.log1p(-p)
        fit *= distinct
        # An even prior over (start, end) pairs, not over the share of the way to one.
        fit += np.log(1.0 - start)
        gains.append((accuracy(last + more_labels) - accuracy(last)).ravel())
        logs.append(fit.ravel())
    joined = np.concatenate(logs)
    weights = np.exp(joined - joined.max())
    return np.concatenate(gains), weights / weights.sum()


def _removable_error_left(ratio: float, family: str) -> Grid:
    """(shapes,) share of the first round's removable error that is left at ``ratio`` x labels."""
    if family == "power":
        left: Grid = np.power(ratio, -np.geomspace(0.1, 3.0, SHAPES))
    elif family == "exponential":
        left = np.exp(-(ratio - 1.0) * np.geomspace(0.02, 3.0, SHAPES))
    else:
        left = 1.0 / (1.0 + np.geomspace(0.1, 5.0, SHAPES) * np.log(ratio))
    return left


def _words(state: State, more: int, gain: float, low: float, high: float) -> Reason:
    expected = Reason(
        "{labels:,} more labels would gain about {gain:.1f} points (80 % interval {low:.1f} to "
        "{high:.1f})",
        labels=more,
        gain=_points(gain),
        low=_points(low),
        high=_points(high),
    )
    if state == "stop":
        return Reason("gains are small, stop: {expected}", expected=expected)
    return Reason("keep labelling: {expected}", expected=expected)


def _points(share: float) -> float:
    """One decimal, never -0.0."""
    return round(100 * share, 1) + 0.0
