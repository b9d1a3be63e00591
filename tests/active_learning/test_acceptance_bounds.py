"""The tests of a threshold against sums over every outcome."""

from math import comb

import numpy as np
import pytest

from active_learning.acceptance_bounds import (
    FARTHEST,
    able_places,
    check_shares,
    error_lower_bound,
    error_upper_bound,
    more_rows,
    p_values,
    rows_needed,
    threshold_grid,
)
from active_learning.auto_accept import audit_breach, certify
from active_learning.exceptions import ShapeMismatch


def _binomial(errors: int, n: int, p: float) -> float:
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(errors + 1))


def _hypergeometric(errors: int, rows: int, wrong: int, of: int) -> float:
    """At most ``errors`` of ``rows`` drawn from ``of`` records of which ``wrong`` are wrong."""
    ways = [comb(wrong, k) * comb(of - wrong, rows - k) for k in range(min(errors, rows) + 1)]
    return sum(ways) / comb(of, rows)


@pytest.mark.parametrize(
    ("errors", "rows", "rest", "target"),
    [(0, 20, 15, 0.1), (1, 20, 15, 0.1), (2, 30, 40, 0.05), (0, 10, 0, 0.1), (1, 40, 500, 0.2)],
)
def test_p_values_are_the_larger_of_both_exact_ones(
    errors: int, rows: int, rest: int, target: float
) -> None:
    least = min(int(target * rest + 1e-9) + 1, rest)  # fewest wrong ones that break the promise
    expected = max(
        _binomial(errors, rows, target),
        _hypergeometric(errors, rows, least + errors, rest + rows),
    )
    found = p_values(errors, np.array([rows]), np.array([rest]), target)
    assert found == pytest.approx([expected])


def test_the_sequence_starts_where_one_error_passes_else_where_none_does() -> None:
    rest = np.full(4, 100_000)
    one = next(n for n in range(1, 200) if _binomial(1, n, 0.1) <= 0.1)
    none = rows_needed(0.1, 0.1)
    assert none < one
    at = np.array([none - 1, none, one - 1, one])
    assert able_places(at, rest, 0.1, 0.1).tolist() == [3]
    assert able_places(at[:3], rest[:3], 0.1, 0.1).tolist() == [1, 2]
    assert able_places(at[:1], rest[:1], 0.1, 0.1).tolist() == []
    assert able_places(np.array([0, 1]), np.array([0, 0]), 0.1, 0.99).tolist() == []


def test_the_grid_is_forty_quantiles_of_the_pool_from_high_to_low() -> None:
    pool = np.random.default_rng(0).permutation(np.arange(1, 401) / 400)
    grid = threshold_grid(pool)
    assert len(grid) == 40
    shares = [(pool >= threshold).mean() for threshold in grid]
    assert shares == pytest.approx([k / 40 for k in range(1, 41)], abs=0.003)
    assert set(grid) <= set(pool), "thresholds are confidences that a record has"
    assert threshold_grid(np.zeros(0)).shape == (0,)
    assert threshold_grid(np.array([0.5, 0.5])).tolist() == [0.5]


@pytest.mark.parametrize(("target", "delta"), [(0, 0.1), (1, 0.1), (0.1, 0), (0.1, 1), (-1, 2)])
def test_target_and_delta_are_shares(target: float, delta: float) -> None:
    with pytest.raises(ShapeMismatch, match="between 0 and 1"):
        check_shares(target, delta)


def test_bounds_reach_the_ends_where_all_or_nothing_is_wrong() -> None:
    assert error_upper_bound(5, 5) == 1.0
    assert error_upper_bound(4, 5) < 1.0
    assert error_lower_bound(0, 5) == 0.0
    assert 0.0 < error_lower_bound(1, 5) < 0.2
    assert 1 - (1 - error_upper_bound(0, 5)) ** 5 == pytest.approx(0.9)


def test_missing_rows_without_a_pool_are_those_that_certify_without_an_error() -> None:
    none = np.zeros(0)
    sure, right = np.ones(10), np.ones(10, bool)
    assert more_rows(sure, right, none, 0.1, 0.1) == rows_needed(0.1, 0.1) - 10
    many = np.ones(500)
    assert more_rows(many, np.ones(500, bool), none, 0.1, 0.1) == 1
    assert more_rows(sure, right, none, 1e-6, 0.1) == FARTHEST


def test_audits_are_looked_at_after_5_8_12_and_18_answers() -> None:
    """Each look spends its part of delta; two errors in five contradict five percent, one not."""
    assert error_lower_bound(2, 5, 0.1 / 2) > 0.05
    found = audit_breach([False, True, False, True, True, True], target=0.05)
    assert (found.is_breached, found.errors, found.audits) == (True, 2, 5)
    assert found.error_at_least == error_lower_bound(2, 5, 0.1 / 2)
    assert found.reason.en.startswith("withdrawn: 2 of 5")
    early = audit_breach([False] * 4, target=0.05)
    assert (early.is_breached, early.errors, early.audits) == (False, 4, 4)
    assert early.error_at_least == 0.0
    for size, look in ((8, 2), (12, 3), (18, 4)):
        errors = next(k for k in range(size) if error_lower_bound(k, size, 0.3 / look) > 0.3)
        answers = [True] * (size - errors) + [False] * errors
        late = audit_breach([*answers, True], target=0.3)
        part = 0.1 / (look * (look + 1))
        assert late.error_at_least == error_lower_bound(errors, size, part)
        assert late.audits == (size if late.is_breached else size + 1)


def test_a_threshold_says_its_share_its_bound_and_its_certainty() -> None:
    sure = np.repeat([0.9, 0.6], 100)
    right = np.array([True] * 99 + [False] * 101)
    rule = certify(sure, right, np.repeat([0.9, 0.6], 1_000), target=0.05)
    assert rule.threshold == 0.9
    assert rule.accepted_share.value == 0.5
    assert rule.error_bound == error_upper_bound(1, 100)
    assert rule.calibration_rows == 200
    assert rule.more_rows_needed == 0
    assert not rule.is_out_of_reach
    assert "0.900 or more is accepted: 50% of records" in rule.reason.en
    assert "with 90% certainty" in rule.reason.en
    assert "可信度 90%" in rule.reason.zh


def test_the_first_failure_ends_the_tests() -> None:
    """Sound records below a bad threshold do not bring it back."""
    sure = np.repeat([0.9, 0.6], [100, 2_000])
    right = np.array([False] * 20 + [True] * 2_080)
    rule = certify(sure, right, np.repeat([0.9, 0.6], [1_000, 20_000]), target=0.05)
    assert rule.threshold is None
    assert "already the most confident of 2100 calibration rows" in rule.reason.en


def test_five_audits_are_enough_for_the_first_look() -> None:
    found = audit_breach([False, False, True, True, True], target=0.05)
    assert (found.is_breached, found.errors, found.audits) == (True, 2, 5)
