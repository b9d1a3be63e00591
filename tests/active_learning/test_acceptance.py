"""The promise of an acceptance, against scipy's exact test and simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest

from active_learning.acceptance import (
    FARTHEST,
    audit_breach,
    certify,
    choose_accepted,
    delta_of_look,
    error_lower_bound,
    error_upper_bound,
    rows_needed,
    share_of_candidate,
    threshold_grid,
)
from active_learning.exceptions import NoLabels, ShapeMismatch
from tests.fixtures.chinese import in_chinese


@pytest.mark.parametrize(("errors", "n"), [(0, 30), (3, 50), (50, 50), (7, 400)])
def test_bounds_equal_scipys_exact_interval(errors: int, n: int) -> None:
    exact = binomtest(errors, n).proportion_ci(confidence_level=0.8, method="exact")
    assert error_upper_bound(errors, n, 0.1) == pytest.approx(exact.high)
    assert error_lower_bound(errors, n, 0.1) == pytest.approx(exact.low)


@pytest.mark.parametrize("target", [0.01, 0.02, 0.05, 0.5])
def test_rows_needed_is_the_least_that_certifies(target: float) -> None:
    needed = rows_needed(target)
    assert error_upper_bound(0, needed) <= target + 1e-9
    assert error_upper_bound(0, needed - 1) > target


def _world(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    sure = rng.uniform(0.5, 1.0, n)
    return sure, rng.random(n) < sure  # honest probabilities


def _broken(rng: np.random.Generator, rows: int, pool: int) -> tuple[bool, bool]:
    """(the promise of 10 % errors is broken, something was accepted)."""
    sure, right = _world(rng, rows + pool)
    rule = certify(sure[:rows], right[:rows], sure[rows:], target=0.1)
    chosen = choose_accepted(sure[rows:], rule, audit_share=0.0, seed=0).accepted
    wrong = ~right[rows:][chosen]
    return bool(len(wrong) and wrong.mean() > 0.1), len(wrong) > 0


@pytest.mark.parametrize(("rows", "pool"), [(150, 3000), (400, 3000), (300, 100)])
def test_the_promise_is_broken_in_at_most_ten_percent_of_runs(rows: int, pool: int) -> None:
    rng = np.random.default_rng(rows)
    outcomes = np.array([_broken(rng, rows, pool) for _ in range(200)])
    assert outcomes[:, 0].mean() <= 0.10 + 2 * np.sqrt(0.1 * 0.9 / 200)
    assert outcomes[:, 1].mean() > 0.2  # not kept by accepting nothing


def test_too_few_rows_say_how_many_are_needed() -> None:
    sure = np.linspace(0.5, 1.0, 120)
    rule = certify(sure, np.ones(120, bool), sure, target=0.01)
    assert rule.threshold is None
    assert rule.more_rows_needed == rows_needed(0.01) - 120
    assert not rule.is_out_of_reach
    assert "there are 120" in str(rule.reason)
    assert "120" in in_chinese(rule.reason)


def test_wrong_answers_accept_nothing_and_right_ones_everything() -> None:
    sure = np.linspace(0.5, 1.0, 500)
    assert certify(sure, np.zeros(500, bool), sure, target=0.05).threshold is None
    rule = certify(sure, np.ones(500, bool), sure, target=0.05)
    assert rule.threshold == 0.5
    assert rule.error_bound == pytest.approx(error_upper_bound(0, 500))
    chosen = choose_accepted(sure, rule, audit_share=0.1, seed=3)
    assert len(chosen.accepted) == 500
    assert len(chosen.audited) == 50
    assert set(chosen.audited) <= set(chosen.accepted)
    again = choose_accepted(sure, rule, audit_share=0.1, seed=3)
    assert (chosen.audited == again.audited).all()


def test_the_grid_falls_and_empty_or_bad_input_is_answered() -> None:
    grid = threshold_grid(np.random.default_rng(0).random(1000))
    assert (np.diff(grid) < 0).all()
    none = np.zeros(0)
    assert certify(none, none.astype(bool), none, target=0.1).threshold is None
    with pytest.raises(ShapeMismatch):
        certify(np.ones(3), np.ones(2, bool), np.ones(3), target=0.1)
    with pytest.raises(ShapeMismatch):
        certify(np.array([np.nan]), np.ones(1, bool), np.ones(3), target=0.1)
    with pytest.raises(ShapeMismatch):
        certify(np.ones(3), np.ones(3, bool), np.ones(3), target=1.5)


def test_a_kept_promise_is_rarely_withdrawn_and_a_broken_one_is() -> None:
    rng = np.random.default_rng(0)
    kept = [audit_breach(rng.random(400) > 0.05, target=0.05).is_breached for _ in range(500)]
    broken = [audit_breach(rng.random(400) > 0.2, target=0.05).is_breached for _ in range(100)]
    assert np.mean(kept) <= 0.10
    assert np.mean(broken) > 0.95
    with pytest.raises(NoLabels):
        audit_breach([], target=0.05)


def test_a_breach_stays_a_breach() -> None:
    start = [False] * 8
    assert audit_breach(start, target=0.05).is_breached
    assert audit_breach(start + [True] * 2000, target=0.05).is_breached


def test_the_parts_of_all_looks_are_at_most_delta() -> None:
    parts = [delta_of_look(0.1, look) for look in range(1, 10_000)]
    assert 0.0999 < sum(parts) <= 0.1
    with pytest.raises(ShapeMismatch):
        delta_of_look(0.1, 0)


def _breaks(rng: np.random.Generator, *, are_counted: bool) -> tuple[bool, bool]:
    """(any of eight looks at one growing sample breaks 10 %, any accepts something)."""
    rows, pool = 640, 3000
    sure = rng.uniform(0.5, 1.0, rows + pool)
    right = rng.random(rows + pool) < np.where(sure > 0.75, 0.895, 0.6)  # just not good enough
    broken = accepted = False
    for look, size in enumerate(range(80, rows + 1, 80), start=1):
        rule = certify(
            sure[:size],
            right[:size],
            sure[rows:],
            target=0.1,
            look=look if are_counted else None,
        )
        taken = right[rows:][sure[rows:] >= (rule.threshold or np.inf)]
        accepted |= len(taken) > 0
        broken |= bool(len(taken) and (~taken).mean() > 0.1)
    return broken, accepted


def test_many_looks_at_a_growing_sample_keep_the_promise_only_if_they_are_counted() -> None:
    counted = np.array([_breaks(np.random.default_rng(i), are_counted=True) for i in range(100)])
    alike = np.array([_breaks(np.random.default_rng(i), are_counted=False) for i in range(100)])
    assert counted[:, 0].mean() <= 0.10
    assert alike[:, 0].mean() > 0.12
    assert counted[:, 1].any()


def test_with_the_rows_named_about_half_of_the_samples_pass() -> None:
    rng = np.random.default_rng(1)
    passed, asked = [], 0
    for _ in range(200):
        sure = rng.uniform(0.5, 1.0, 6000)
        right = rng.random(6000) < 0.93 + 0.05 * (sure > 0.75)
        rule = certify(sure[:60], right[:60], sure[3000:], target=0.05)
        if rule.threshold is not None or rule.more_rows_needed > 2900:
            continue
        asked += 1
        n = 60 + rule.more_rows_needed
        again = certify(sure[:n], right[:n], sure[3000:], target=0.05)
        passed.append(again.threshold is not None)
    assert asked > 100
    assert 0.35 <= np.mean(passed) <= 0.75


def test_a_model_that_is_too_weak_is_told_so() -> None:
    rng = np.random.default_rng(2)
    sure = rng.uniform(0.5, 1.0, 2000)
    rule = certify(sure[:500], rng.random(500) < 0.7, sure[500:], target=0.02)
    assert rule.is_out_of_reach
    assert rule.more_rows_needed == FARTHEST
    assert "cannot be certified at this accuracy" in str(rule.reason)
    assert "无法认证" in in_chinese(rule.reason)


def _winner_breaks(seed: int, share: float) -> bool:
    """Fifteen equal models, all a little too bad; the best on the audit sample is certified."""
    rng = np.random.default_rng(seed)
    rows, pool = 150, 2000
    models = [rng.random(rows + pool) >= 0.06 for _ in range(15)]
    right = max(models, key=lambda model: int(model[:rows].sum()))
    sure = rng.uniform(0.5, 1.0, rows + pool)
    rule = certify(sure[:rows], right[:rows], sure[rows:], target=0.05, delta=0.05, share=share)
    taken = right[rows:][sure[rows:] >= (rule.threshold or np.inf)]
    return bool(len(taken) and (~taken).mean() > 0.05)


def test_a_model_chosen_on_the_certifying_sample_keeps_its_promise_only_with_its_share() -> None:
    share = share_of_candidate(15)
    assert np.mean([_winner_breaks(seed, 1.0) for seed in range(150)]) > 0.12
    assert np.mean([_winner_breaks(seed, share) for seed in range(150)]) <= 0.05


def test_the_shares_of_all_candidates_are_at_most_the_whole() -> None:
    assert share_of_candidate(1) == 1.0
    for candidates in (2, 7, 40):
        assert candidates * share_of_candidate(candidates) == pytest.approx(1.0)
    with pytest.raises(ShapeMismatch):
        share_of_candidate(0)
    sure = np.linspace(0.5, 1.0, 50)
    for share in (0.0, 1.1):
        with pytest.raises(ShapeMismatch):
            certify(sure, np.ones(50, bool), sure, target=0.1, share=share)


def test_a_share_asks_for_as_many_rows_as_its_part_of_delta() -> None:
    needed = rows_needed(0.05, 0.1 / 2 * share_of_candidate(8))
    for rows, is_certified in ((needed, True), (needed - 1, False)):
        sure = np.ones(rows)
        rule = certify(
            sure,
            np.ones(rows, bool),
            np.ones(100_000),
            target=0.05,
            delta=0.1,
            look=1,
            share=share_of_candidate(8),
        )
        assert (rule.threshold is not None) == is_certified
