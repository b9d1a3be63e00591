"""Stopping advice against simulated curves whose future is known."""

import numpy as np
import pytest
from scipy.stats import norm

from active_learning.exceptions import ShapeMismatch
from active_learning.stopping import CurvePoint, advise
from tests.fixtures.chinese import in_chinese

ROUNDS = (60, 120, 180, 240, 300, 360)
SIZES = (70, 140, 200, 270, 340, 400)


def _world(rng: np.random.Generator) -> tuple[list[CurvePoint], float]:
    """Rounds on one growing audit sample, and what 300 more labels will gain.

    Models stray by 2 % of their error, and hit and miss much the same records.
    """
    end, lost, power = rng.uniform(0.8, 0.98), rng.uniform(0.1, 0.35), rng.uniform(0.3, 1.5)
    smooth = end - lost * (np.array([*ROUNDS, ROUNDS[-1] + 300]) / ROUNDS[0]) ** -power
    actual = smooth + 0.02 * (1 - smooth) * rng.standard_normal(len(smooth))
    ease = rng.standard_normal(400)
    points = []
    for size, labels, accuracy in zip(SIZES, ROUNDS, actual[:-1], strict=True):
        luck = np.sqrt(0.7) * ease[:size] + np.sqrt(0.3) * rng.standard_normal(size)
        points.append(CurvePoint(labels, float((norm.cdf(luck) < accuracy).mean()), size))
    return points, float(actual[-1] - actual[-2])


def test_the_interval_covers_the_gain_at_least_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(100):
        points, gain = _world(rng)
        found = advise(points, 300)
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= gain <= found.high)
    assert 0.8 <= np.mean(hits) <= 0.99


def test_a_flat_curve_stops_and_a_steep_one_goes_on() -> None:
    flat = advise([CurvePoint(n, 0.95, 5000) for n in (100, 200, 400, 800, 1600)], 100)
    assert flat.state == "stop"
    steep = advise([CurvePoint(n, 0.4 + n / 1000, 1000) for n in (60, 120, 240, 360)], 200)
    assert steep.state == "keep labelling"
    assert "200 more labels would gain about" in str(steep.reason)
    assert "80% 区间" in in_chinese(steep.reason)


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


def test_the_same_audit_records_asked_again_are_no_new_evidence() -> None:
    accuracies = (0.70, 0.76, 0.79, 0.81, 0.82, 0.83)
    one = advise([CurvePoint(n, a, 300) for n, a in zip(ROUNDS, accuracies, strict=True)], 300)
    half = advise(
        [
            CurvePoint(n, a, size)
            for n, a, size in zip(ROUNDS, accuracies, (50, 100, 150, 200, 250, 300), strict=True)
        ],
        300,
    )
    assert one.low is not None
    assert one.high is not None
    assert half.low is not None
    assert half.high is not None
    # The growing sample ends with the same 300 records: about the same width, not half of it.
    assert 0.7 < (one.high - one.low) / (half.high - half.low) < 1.4


def test_the_interval_has_room_for_a_loss() -> None:
    flat = advise([CurvePoint(n, 0.80, 5000) for n in (100, 200, 400, 800, 1600)], 100)
    assert flat.low is not None
    assert flat.low < 0 < (flat.high or 0)


def test_of_curves_that_do_not_rise_the_interval_covers_more_often_than_not() -> None:
    rng = np.random.default_rng(1)
    hits = []
    for _ in range(30):
        level = rng.uniform(0.5, 0.97)
        actual = level + 0.018 * (1 - level) * rng.standard_normal(9)
        ease = rng.random(96)
        points = [
            CurvePoint(50 * place, float((ease[: 12 * place] < actual[place]).mean()), 12 * place)
            for place in range(1, 9)
        ]
        found = advise(points, 400)
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= actual[0] - actual[8] <= found.high)
        assert "-0.0" not in str(found.reason)
    assert np.mean(hits) > 0.7
