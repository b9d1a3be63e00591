"""Stopping advice against simulated curves whose future is known."""

import numpy as np
import pytest

from active_learning.exceptions import ShapeMismatch
from active_learning.stopping import CurvePoint, advise

ROUNDS = (60, 120, 180, 240, 300, 360)


def _points(rng: np.random.Generator, end: float, lost: float, power: float) -> list[CurvePoint]:
    return [
        CurvePoint(n, rng.binomial(400, end - lost * (n / 60) ** -power) / 400, 400) for n in ROUNDS
    ]


def test_the_interval_covers_the_gain_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(80):
        end, lost, power = rng.uniform(0.8, 0.98), rng.uniform(0.1, 0.35), rng.uniform(0.3, 1.5)
        found = advise(_points(rng, end, lost, power), 300)
        gain = lost * (6.0**-power - 11.0**-power)
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= gain <= found.high)
    assert 0.68 <= np.mean(hits) <= 0.96


def test_a_flat_curve_stops_and_a_steep_one_goes_on() -> None:
    flat = advise([CurvePoint(n, 0.95, 5000) for n in (100, 200, 400, 800, 1600)], 100)
    assert flat.state == "stop"
    steep = advise([CurvePoint(n, 0.4 + n / 1000, 1000) for n in (60, 120, 240, 360)], 200)
    assert steep.state == "keep labelling"
    assert "200 more labels would gain about" in steep.reason.en
    assert "80% 区间" in steep.reason.zh


def test_too_early_without_rounds_or_audits() -> None:
    assert advise([], 100).state == "too early"
    few = [CurvePoint(n, 0.7, 10) for n in (50, 100, 150)]
    assert advise(few, 100).state == "too early"
    assert advise(few, 100).gain is None


def test_bad_points_are_refused() -> None:
    with pytest.raises(ShapeMismatch):
        advise([CurvePoint(50, 0.7, 100), CurvePoint(50, 0.7, 100)], 100)
    with pytest.raises(ShapeMismatch):
        advise([CurvePoint(50, 70.0, 100)], 100)
