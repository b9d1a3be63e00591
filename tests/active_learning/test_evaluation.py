"""Figures and their intervals, against scikit-learn, brute force and simulation."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score

from active_learning.evaluation import (
    area_under_learning_curve,
    compare,
    evaluate,
    expected_calibration_error,
    macro_f1,
    wilson,
)
from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.gate import decide, rows_to_tell
from tests.fixtures.chinese import in_chinese


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, guess = rng.choice(list("abcd"), 80), rng.choice(list("abc"), 80)
    assert macro_f1(truth, guess) == pytest.approx(f1_score(truth, guess, average="macro"))


def test_wilson_known_value() -> None:
    found = wilson(81, 263)  # Newcombe 1998, table I
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(10, 10).high == pytest.approx(1.0)
    assert wilson(10, 10).low < 0.75


def test_paired_interval_known_value() -> None:
    # 36 both right, 12 only the challenger, 2 only the champion, 0 neither; worked by hand.
    truth = ["x"] * 50
    challenger = ["x"] * 36 + ["x"] * 12 + ["-"] * 2
    champion = ["x"] * 36 + ["-"] * 12 + ["x"] * 2
    found = compare(truth, challenger, champion)
    assert found.difference.value == pytest.approx(0.2)
    assert (found.difference.low, found.difference.high) == pytest.approx(
        (0.0569, 0.3404), abs=1e-3
    )
    assert (found.wins, found.losses) == (12, 2)


def test_intervals_cover_the_truth_95_percent_of_the_time() -> None:
    rng = np.random.default_rng(0)
    hits = paired = 0
    for _ in range(600):
        both = rng.random(80)
        new, old = both < 0.8, (both + rng.normal(0, 0.1, 80)) < 0.75
        found = wilson(int(new.sum()), 80)
        hits += found.low <= 0.8 <= found.high
        truth = ["x"] * 80
        gap = compare(truth, np.where(new, "x", "-").tolist(), np.where(old, "x", "-").tolist())
        paired += gap.difference.low <= _true_gap() <= gap.difference.high
    assert 0.92 < hits / 600 < 0.985
    assert 0.92 < paired / 600 <= 0.995


def _true_gap() -> float:
    rng = np.random.default_rng(1)
    both = rng.random(200_000)
    return float((both < 0.8).mean() - ((both + rng.normal(0, 0.1, 200_000)) < 0.75).mean())


def test_calibration_error_of_honest_probabilities_is_small() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.4, 1.0, 20_000)
    honest = rng.random(20_000) < confidence
    assert expected_calibration_error(confidence, honest) < 0.02
    assert expected_calibration_error(confidence, np.zeros(20_000, bool)) > 0.6


def test_evaluate_joins_the_figures_and_is_json_ready() -> None:
    truth = ["a", "b", "a", "b"] * 10
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9]] * 10)
    found = evaluate(truth, p, ["a", "b"])
    assert found.accuracy.value == 0.75
    assert found.accuracy.low < 0.75 < found.accuracy.high
    assert found.macro_f1.low < found.macro_f1.value < found.macro_f1.high
    assert found.to_dict()["n"] == 40
    with pytest.raises(NoLabels):
        evaluate([], np.zeros((0, 2)), ["a", "b"])
    with pytest.raises(ShapeMismatch):
        evaluate(truth, p[:3], ["a", "b"])


def test_area_under_the_learning_curve() -> None:
    assert area_under_learning_curve([10, 20, 40], [0.5, 0.7, 0.7]) == pytest.approx(20 / 30)
    with pytest.raises(ShapeMismatch):
        area_under_learning_curve([10, 10], [0.5, 0.7])


def test_the_gate_promotes_the_first_and_the_better_and_keeps_against_the_worse() -> None:
    truth = ["good"] * 100
    strong, weak = ["good"] * 90 + ["poor"] * 10, ["good"] * 70 + ["poor"] * 30
    assert decide(truth, weak, None).promote
    assert decide(truth, strong, weak).promote
    assert decide(truth, strong, strong).promote
    kept = decide(truth, weak, strong)
    assert not kept.promote
    assert "20 worse" in str(kept.reason)
    assert in_chinese(kept.reason)


def test_the_gate_rarely_promotes_a_clearly_worse_challenger() -> None:
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        challenger = np.where(rng.random(60) < 0.65, "x", "-").tolist()
        champion = np.where(rng.random(60) < 0.85, "x", "-").tolist()
        wrong += decide(["x"] * 60, challenger, champion).promote
    assert wrong / 400 < 0.03


def test_macro_f1_of_a_small_faultless_sample_is_not_certain() -> None:
    found = evaluate(["a", "b"] * 5, np.array([[0.9, 0.1], [0.1, 0.9]] * 5), ["a", "b"])
    assert found.macro_f1.value == found.macro_f1.high == 1.0
    assert found.macro_f1.low < 0.9


def test_macro_f1_interval_covers_on_small_samples() -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(400):
        truth = rng.choice(["a", "b"], 30, p=[0.7, 0.3])
        right = rng.random(30) < 0.9
        says_a = (truth == "a") == right
        p = np.where(says_a[:, None], [0.9, 0.1], [0.1, 0.9])
        found = evaluate(truth.tolist(), p, ["a", "b"]).macro_f1
        # Population: a right .63, a wrong .07, b right .27, b wrong .03.
        actual = (2 * 0.63 / (0.70 + 0.66) + 2 * 0.27 / (0.30 + 0.34)) / 2
        hits.append(found.low <= actual <= found.high)
    assert 0.91 <= np.mean(hits) <= 0.985


def test_the_gate_promotes_an_equal_challenger_and_calls_a_small_sample_small() -> None:
    truth = ["x"] * 10
    found = decide(truth, ["x"] * 8 + ["-"] * 2, ["-"] * 2 + ["x"] * 8, tolerance=0.01)
    assert found.promote
    assert found.evidence["is_small_sample"]
    assert "sample is still small" in str(found.reason)
    assert not decide(truth, ["x"] * 7 + ["-"] * 3, ["x"] * 8 + ["-"] * 2, tolerance=0.9).promote


def _answers(n: int, *, better: int, worse: int) -> tuple[list[str], list[str], list[str]]:
    """(truth, challenger, champion); both are wrong on a tenth besides."""
    wrong = n // 10
    challenger = ["x"] * (n - worse - wrong) + ["-"] * (worse + wrong)
    champion = ["-"] * better + ["x"] * (n - better - wrong) + ["-"] * wrong
    return ["x"] * n, challenger, champion


def test_a_large_sample_must_rule_out_a_loss_above_the_tolerance() -> None:
    enough = rows_to_tell(0.05)
    assert enough == 308
    blocked = decide(*_answers(enough, better=61, worse=60))
    assert blocked.evidence["difference"]["low"] < -0.05
    assert not blocked.promote
    assert "a loss of more than 5 points is possible" in str(blocked.reason)
    assert "5 个百分点" in in_chinese(blocked.reason)
    assert not blocked.evidence["is_small_sample"]
    small = decide(*_answers(enough - 1, better=61, worse=60))
    assert small.promote
    assert small.evidence["is_small_sample"]
    assert decide(*_answers(enough, better=20, worse=20)).promote
    assert decide(*_answers(enough, better=90, worse=60)).promote
    with pytest.raises(ShapeMismatch):
        decide(["x"], ["x"], ["x"], tolerance=0.0)


@pytest.mark.parametrize("n", [20, 50, 100, 300, 500])
def test_wilson_covers_about_95_percent_on_average_over_accuracies(n: int) -> None:
    hits = np.arange(n + 1)
    ends = np.array([(found.low, found.high) for found in (wilson(int(k), n) for k in hits)])
    accuracies = np.linspace(0.7, 0.99, 59)
    inside = (ends[:, :1] <= accuracies) & (accuracies <= ends[:, 1:])
    coverage = (binom.pmf(hits[:, None], n, accuracies) * inside).sum(axis=0)
    assert 0.945 <= coverage.mean() <= 0.965
    assert coverage.min() > 0.89


@pytest.mark.parametrize(
    ("shares", "n"),
    [(np.ones(10), 20), (1 / np.arange(1.0, 11.0) ** 1.5, 50), (np.array([0.97, 0.03]), 20)],
)
def test_macro_f1_interval_covers_with_many_and_with_rare_classes(
    shares: np.ndarray, n: int
) -> None:
    """Classes of which the sample holds one record or none still have an F1 of their own."""
    rng, k = np.random.default_rng(0), len(shares)
    prior, names = shares / shares.sum(), [f"c{place}" for place in range(k)]
    joint = np.outer(prior, prior) * (1 - np.eye(k)) / (1 - prior)[:, None] * 0.2
    joint += np.diag(0.8 * prior)
    actual = float((2 * np.diag(joint) / (joint.sum(axis=0) + joint.sum(axis=1))).mean())
    hits = []
    for _ in range(60):
        cells = rng.choice(k * k, n, p=joint.ravel())
        p = 0.9 * np.eye(k)[cells % k] + 0.1 / k
        found = evaluate([names[place] for place in cells // k], p, names).macro_f1
        hits.append(found.low <= actual <= found.high)
    assert np.mean(hits) > 0.8
