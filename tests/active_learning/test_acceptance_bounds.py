"""The tests of a threshold against sums over every outcome."""

from math import comb

import numpy as np
import pytest
from scipy.stats import betabinom

from active_learning import acceptance_bounds
from active_learning.acceptance import audit_breach, certify, choose_accepted
from active_learning.acceptance_bounds import (
    FARTHEST,
    able_places,
    check_shares,
    delta_of_look,
    error_lower_bound,
    error_upper_bound,
    more_rows,
    p_values,
    rows_needed,
    threshold_grid,
)
from active_learning.evaluation import Estimate
from active_learning.exceptions import ShapeMismatch
from tests.fixtures.chinese import in_chinese


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
    assert str(found.reason).startswith("withdrawn: 2 of 5")
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
    assert "0.900 or more is accepted: 50% of records" in str(rule.reason)
    assert "with 90% certainty" in str(rule.reason)
    assert "可信度 90%" in in_chinese(rule.reason)


def test_the_first_failure_ends_the_tests() -> None:
    """Sound records below a bad threshold do not bring it back."""
    sure = np.repeat([0.9, 0.6], [100, 2_000])
    right = np.array([False] * 20 + [True] * 2_080)
    rule = certify(sure, right, np.repeat([0.9, 0.6], [1_000, 20_000]), target=0.05)
    assert rule.threshold is None
    assert "already the most confident of 2,100 calibration rows" in str(rule.reason)


def test_five_audits_are_enough_for_the_first_look() -> None:
    found = audit_breach([False, False, True, True, True], target=0.05)
    assert (found.is_breached, found.errors, found.audits) == (True, 2, 5)


def _passes(errors: int, rows: int, rest: int, target: float, delta: float) -> bool:
    least = min(int(target * rest + 1e-9) + 1, rest)
    by_pool = _hypergeometric(errors, rows, least + errors, rest + rows)
    return max(_binomial(errors, rows, target), by_pool) <= delta


def _certified(
    sure: list[float], right: list[bool], pool: list[float], target: float, delta: float
) -> float | None:
    """The tests one after the other, as the docstring tells them."""
    grid = threshold_grid(np.array(pool)).tolist()
    at = [[n for n, c in enumerate(sure) if c >= threshold] for threshold in grid]
    above = [sum(c >= threshold for c in pool) for threshold in grid]
    for allowed in (1, 0):
        tested = [
            k
            for k in range(len(grid))
            if len(at[k]) > allowed and _passes(allowed, len(at[k]), above[k], target, delta)
        ]
        if tested:
            break
    found = None
    for k in tested:
        errors = sum(not right[n] for n in at[k])
        if not _passes(errors, len(at[k]), above[k], target, delta):
            break
        found = grid[k]
    return found


@pytest.mark.parametrize("seed", range(30))
def test_the_threshold_is_the_last_that_passes_in_sequence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(0, 90)), int(rng.integers(0, 60))
    target, delta = float(rng.choice([0.05, 0.1, 0.3])), float(rng.choice([0.1, 0.3]))
    look, share = int(rng.integers(1, 4)), float(rng.choice([1.0, 0.5]))
    sure = np.round(rng.uniform(0.5, 1.0, n), 2)
    right = rng.random(n) < np.where(sure > 0.7, 0.97, 0.6)
    pool = np.round(rng.uniform(0.5, 1.0, m), 2)
    alone = certify(sure, right, pool, target=target, delta=delta)
    lists = sure.tolist(), right.tolist(), pool.tolist()
    assert alone.threshold == _certified(*lists, target, delta)
    part = share * delta_of_look(delta, look)
    rule = certify(sure, right, pool, target=target, delta=delta, look=look, share=share)
    assert rule.threshold == _certified(*lists, target, part)
    assert rule.calibration_rows == n
    if rule.threshold is None:
        assert rule.error_bound is None
        assert rule.accepted_share.value == 0.0
        coming = share * delta_of_look(delta, look + 1)
        assert rule.more_rows_needed == more_rows(sure, right, pool, target, coming) > 0
        assert alone.threshold is not None or alone.more_rows_needed == more_rows(
            sure, right, pool, target, delta
        )
        needed = f"at least {rows_needed(target, part)} calibration rows"
        tested = able_places(
            np.array([(sure >= t).sum() for t in threshold_grid(pool)], int),
            np.array([(pool >= t).sum() for t in threshold_grid(pool)], int),
            target,
            part,
        )
        assert (needed in str(rule.reason)) == (len(tested) == 0)
        assert ("以目前的准确率无法认证" in in_chinese(rule.reason)) == rule.is_out_of_reach
        assert ("at this accuracy" in str(rule.reason)) == rule.is_out_of_reach
        assert ("有一半把握" in in_chinese(rule.reason)) == (not rule.is_out_of_reach)
        assert ("the odds are even" in str(rule.reason)) == (not rule.is_out_of_reach)
    else:
        above = sure >= rule.threshold
        assert rule.error_bound == error_upper_bound(int((~right[above]).sum()), above.sum(), part)
        assert rule.accepted_share.value == pytest.approx(above.mean())
        assert rule.more_rows_needed == 0


@pytest.mark.parametrize("seed", range(12))
def test_with_the_fewest_further_rows_the_first_test_passes_with_even_odds(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked for at every number up to 300, which are closer than where it is looked for."""
    monkeypatch.setattr(acceptance_bounds, "FARTHEST", 300)
    rng = np.random.default_rng(seed)
    n, target, delta = int(rng.integers(0, 60)), 0.1, 0.1
    sure = np.round(rng.uniform(0.5, 1.0, n), 1)
    right = rng.random(n) < (0.99, 0.95, 0.8)[seed % 3]
    pool = np.round(rng.uniform(0.5, 1.0, 50), 1)
    grid = threshold_grid(pool)
    seen = [int((sure >= t).sum()) for t in grid]
    wrong = [int((~right & (sure >= t)).sum()) for t in grid]
    shares = [float((pool >= t).mean()) for t in grid]
    needed = rows_needed(target, delta)

    def odds(ahead: int) -> float:
        new = [int(ahead * share + 1e-9) for share in shares]
        rows = [old + more for old, more in zip(seen, new, strict=True)]
        able = [k for k, count in enumerate(rows) if _binomial(1, count, target) <= delta]
        able = able or [k for k, count in enumerate(rows) if count >= needed]
        if not able:
            return 0.0
        k = able[0]
        most = max(e for e in range(-1, rows[k] + 1) if _binomial(e, rows[k], target) <= delta)
        left = most - wrong[k]
        a, b = wrong[k] + 0.5, seen[k] - wrong[k] + 0.5
        return float(betabinom.cdf(left, new[k], a, b))

    known = {ahead: odds(ahead) for ahead in range(1, 300)}
    found = more_rows(sure, right, pool, target, delta)
    first = min((ahead for ahead, chance in known.items() if chance >= 0.5), default=300)
    assert found >= first
    if found < 300:
        assert known[found] >= 0.5
    tried = set(np.geomspace(1, 300, 400).astype(int).tolist()[:-1])
    assert all(known[ahead] < 0.5 for ahead in tried if ahead < found)


@pytest.mark.parametrize("name", ["confidence", "correct", "pool"])
@pytest.mark.parametrize("shape", [(), (4, 1), (1, 4), (3,)])
def test_arrays_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...]) -> None:
    given = {"confidence": np.ones(4), "correct": np.ones(4, bool), "pool": np.ones(4)}
    given[name] = np.ones(shape, given[name].dtype)
    if name == "pool" and shape == (3,):
        certify(*given.values(), target=0.1)
        return
    with pytest.raises(ShapeMismatch):
        certify(*given.values(), target=0.1)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_confidences_are_numbers(broken: float) -> None:
    sure, right = np.ones(3), np.ones(3, bool)
    odd = np.array([1.0, broken, 1.0])
    for confidence, pool in ((odd, sure), (sure, odd)):
        with pytest.raises(ShapeMismatch, match="not a number"):
            certify(confidence, right, pool, target=0.1)


@pytest.mark.parametrize("audit_share", [0.0, 0.001, 0.1, 0.5, 1.0])
def test_audits_are_different_accepted_records_each_as_likely(audit_share: float) -> None:
    pool = np.tile([0.9, 0.4, 0.8], 10)
    sure = np.repeat([0.8, 0.4], 200)
    rule = certify(sure, sure > 0.5, pool, target=0.1)
    drawn = np.zeros(30)
    for seed in range(200):
        chosen = choose_accepted(pool, rule, audit_share=audit_share, seed=seed)
        assert chosen.accepted.tolist() == [n for n in range(30) if n % 3 != 1]
        audited = chosen.audited.tolist()
        assert audited == sorted(set(audited))
        assert len(audited) == int(np.ceil(audit_share * 20))
        drawn[audited] += 1 / 200
    assert drawn[1::3].sum() == 0
    expected = int(np.ceil(audit_share * 20)) / 20
    assert np.delete(drawn, np.s_[1::3]) == pytest.approx(np.full(20, expected), abs=0.14)


def test_without_a_threshold_nothing_is_accepted_and_shares_are_shares() -> None:
    pool = np.ones(5)
    none = certify(np.zeros(0), np.zeros(0, bool), pool, target=0.1)
    assert none.accepted_share == Estimate(0.0, 0.0, 1.0, 0), "nothing is known"
    chosen = choose_accepted(pool, none, audit_share=1.0, seed=0)
    assert (len(chosen.accepted), len(chosen.audited)) == (0, 0)
    for share in (-0.01, 1.01, 2.0):
        with pytest.raises(ShapeMismatch, match="audit_share"):
            choose_accepted(pool, none, audit_share=share, seed=0)


@pytest.mark.parametrize("seed", range(20))
def test_a_breach_is_the_first_look_that_contradicts_the_promise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = (rng.random(int(rng.integers(1, 70))) > (0.02, 0.1, 0.2, 0.5)[seed % 4]).tolist()
    target, delta = 0.1, 0.2
    sizes = [5]
    while sizes[-1] < 100:
        sizes.append(-(-3 * sizes[-1] // 2))
    low, seen = 0.0, len(answers)
    for look, size in enumerate(sizes, start=1):
        if size > len(answers):
            break
        low = error_lower_bound(answers[:size].count(False), size, delta / (look * (look + 1)))
        if low > target:
            seen = size
            break
    found = audit_breach(answers, target=target, delta=delta)
    assert found.is_breached == (low > target)
    assert (found.audits, found.errors) == (seen, answers[:seen].count(False))
    assert found.error_at_least == low
    assert f"{found.errors} of {seen}" in str(found.reason)
    assert in_chinese(found.reason).startswith("已撤回" if found.is_breached else "维持")
