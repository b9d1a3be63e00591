import numpy as np
import pytest
from scipy.stats import fisher_exact

from active_learning.breakdown.slices import ALPHA, SMALLEST, holm, worst_parts


def test_a_part_that_is_much_worse_is_found_and_called_so() -> None:
    rng = np.random.default_rng(0)
    brands = rng.choice(["a", "b", "c", "d"], 400)
    right = rng.random(400) < np.where(brands == "c", 0.4, 0.9)
    found = worst_parts({"brand": brands.tolist()}, right)
    assert found.looked_at == 4
    worst = found.parts[0]
    assert (worst.part.value, worst.is_worse) == ("c", True)
    inside = brands == "c"
    table = [
        [int(right[inside].sum()), int((~right[inside]).sum())],
        [int(right[~inside].sum()), int((~right[~inside]).sum())],
    ]
    assert worst.p_value == pytest.approx(4 * fisher_exact(table, alternative="less")[1])
    assert worst.accuracy.value == pytest.approx(right[inside].mean())
    assert worst.rest.value == pytest.approx(right[~inside].mean())


def test_fishing_in_many_columns_finds_nothing_where_nothing_is() -> None:
    rng = np.random.default_rng(1)
    told = 0
    for _ in range(60):
        columns = {f"c{k}": rng.choice(["x", "y", "z"], 200).tolist() for k in range(12)}
        found = worst_parts(columns, rng.random(200) < 0.8)
        assert found.looked_at > 30
        told += any(part.is_worse for part in found.parts)
    assert told <= 60 * ALPHA + 4


def test_parts_are_large_enough_and_none_is_told_twice() -> None:
    values = ["rare"] * (SMALLEST - 1) + ["often"] * 60 + [None] * 30
    right = np.arange(len(values)) % 3 > 0
    found = worst_parts({"brand": values, "same": values, "one": ["x"] * len(values)}, right)
    assert found.looked_at == 2
    assert {part.part.value for part in found.parts} <= {"often", ""}


def test_numeric_columns_are_cut_into_ranges_that_hold_all_numbers() -> None:
    rng = np.random.default_rng(2)
    prices = rng.normal(50, 10, 300)
    values = [f"${price:.4f}" for price in prices]
    right = prices > 40
    found = worst_parts({"price": values}, right)
    assert found.looked_at == 3
    worst = found.parts[0]
    assert worst.is_worse
    assert worst.part.low is None
    assert worst.part.high == pytest.approx(np.quantile(prices, 1 / 3), abs=1e-3)
    assert worst.accuracy.n == 100


def test_holm_is_that_of_the_paper() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
