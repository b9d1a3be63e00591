"""A function that is renamed or moved must not silently leave the kill tests without a point."""

import pytest

from tests.e2e import test_kill_points as kill_points
from tests.e2e.dying_process import locate

POINTS = {
    *kill_points.BEFORE_THE_FIRST_BATCH,
    *kill_points.AFTER_SOME_ANSWERS,
    *kill_points.AFTER_ALL_ANSWERS,
    *kill_points.ON_POSTGRESQL,
    *kill_points.IN_THE_WEBHOOK,
}


@pytest.mark.parametrize("point", sorted(POINTS))
def test_the_kill_point_is_in_the_code(point: str) -> None:
    holder, name = locate(point)
    assert callable(getattr(holder, name))
