import random

import pytest

from backend.web.chart import Measurement, learning_curve


def _measured(labels: int, value: float, spread: float | None = 0.05) -> Measurement:
    low = None if spread is None else value - spread
    high = None if spread is None else value + spread
    return Measurement(labels, value, low, high, title=f"{labels}")


def test_nothing_measured_is_no_picture() -> None:
    assert learning_curve([]) is None


def test_marks_lie_on_the_axes_scale() -> None:
    curve = learning_curve([_measured(100, 0.8), _measured(50, 0.6)])
    assert curve is not None
    first, second = curve.marks
    assert first.title == "50"
    x_of = {tick.caption: tick.at for tick in curve.x_ticks}
    y_of = {tick.caption: tick.at for tick in curve.y_ticks}
    assert second.x == x_of["100"]
    assert second.y == pytest.approx(y_of["80 %"])
    assert first.y == pytest.approx(y_of["60 %"])
    assert x_of["0"] == curve.left
    assert y_of["100 %"] == curve.top


@pytest.mark.parametrize("seed", range(20))
def test_everything_stays_inside_the_picture(seed: int) -> None:
    rng = random.Random(seed)
    measured = [
        _measured(rng.randint(1, 10 ** rng.randint(1, 6)), rng.random(), rng.choice([None, 0.1]))
        for _ in range(rng.randint(1, 12))
    ]
    curve = learning_curve(measured)
    assert curve is not None
    assert len(curve.marks) == len(measured)
    assert [mark.x for mark in curve.marks] == sorted(mark.x for mark in curve.marks)
    assert 2 <= len(curve.x_ticks) <= 8
    assert 2 <= len(curve.y_ticks) <= 8
    for mark in curve.marks:
        assert curve.left <= mark.x <= curve.right
        for y in (mark.y, mark.low_y, mark.high_y):
            assert y is None or curve.top <= y <= curve.bottom
        if mark.low_y is not None and mark.high_y is not None:
            assert mark.high_y <= mark.y <= mark.low_y
