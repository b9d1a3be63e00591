import numpy as np
import pytest

from active_learning.breakdown.reliability import reliability
from active_learning.evaluation import BINS, expected_calibration_error


@pytest.mark.parametrize("seed", range(5))
def test_bins_add_up_to_the_calibration_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = rng.choice([0.05, 0.33, 0.5, 0.71, 0.9, 1.0], 400)
    right = rng.random(400) < confidence**2
    bins = reliability(confidence, right)
    assert [each.low for each in bins] == pytest.approx([k / BINS for k in range(BINS)])
    assert sum(each.accuracy.n for each in bins) == 400
    gaps = 0.0
    for each in bins:
        inside = (confidence >= each.low - 1e-12) & (confidence < each.high - 1e-12)
        if each.high == 1.0:
            inside |= confidence == 1.0
        assert each.accuracy.n == inside.sum()
        if inside.any():
            assert each.accuracy.estimate is not None
            assert each.accuracy.estimate.value == pytest.approx(right[inside].mean())
            assert each.confidence == pytest.approx(confidence[inside].mean())
            gaps += inside.sum() * abs(right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(confidence, right) == pytest.approx(gaps / 400)


def test_a_bin_of_few_says_how_many_it_needs() -> None:
    bins = reliability(np.full(3, 0.95), np.array([True, True, False]))
    assert bins[-1].accuracy.estimate is None
    assert bins[-1].accuracy.missing == 7
    assert bins[0].confidence is None
