"""What the gate says where there is nothing to measure, nothing to read, and of one sample."""

from dataclasses import asdict

import numpy as np
import pytest

from active_learning.evaluation import compare, evaluate
from active_learning.exceptions import ShapeMismatch
from active_learning.gate import decide, rows_to_tell
from tests.fixtures.chinese import in_chinese


def test_without_audits_more_labels_decide_and_the_reason_says_that_nothing_was_measured() -> None:
    learnt_more = decide([], [], [], new_labels=16)
    assert learnt_more.promote
    assert "not measured" in str(learnt_more.reason)
    assert "16 more labels" in str(learnt_more.reason)
    assert "未经测量" in in_chinese(learnt_more.reason)
    assert learnt_more.evidence == {"rule": "not measured", "n": 0, "new_labels": 16}
    for new_labels in (0, -3):
        kept = decide([], [], [], new_labels=new_labels)
        assert not kept.promote
        assert "not measured" in str(kept.reason)
        assert "未经测量" in in_chinese(kept.reason)


@pytest.mark.parametrize("n", [0, 3])
def test_a_champion_that_cannot_be_read_is_not_called_a_first_model(n: int) -> None:
    found = decide(["x"] * n, ["x"] * n, None, unreadable="v3")
    assert found.promote
    assert "champion v3 could not be read" in str(found.reason)
    assert "无法读取在用模型 v3" in in_chinese(found.reason)
    assert "first" not in str(found.reason)
    assert found.evidence == {"rule": "unreadable champion", "champion": "v3", "n": n}
    assert decide(["x"] * n, ["x"] * n, None).evidence == {"rule": "first", "n": n}


def test_the_gate_tells_both_accuracies_on_the_sample_that_it_decides_on() -> None:
    truth = ["x"] * 40
    challenger = ["x"] * 30 + ["-"] * 10
    champion = ["x"] * 27 + ["-"] * 13
    found = decide(truth, challenger, champion)
    assert "75.0 % right beside 67.5 % of the champion on the same 40 audited" in str(found.reason)
    assert "+7.5 points" in str(found.reason)
    assert "75.0%" in in_chinese(found.reason)
    assert "67.5%" in in_chinese(found.reason)
    compared = compare(truth, challenger, champion)
    assert found.evidence["challenger"] == asdict(compared.challenger)
    assert found.evidence["champion"] == asdict(compared.champion)
    probabilities = np.array([[0.9, 0.1]] * 30 + [[0.1, 0.9]] * 10)
    assert evaluate(truth, probabilities, ["x", "-"]).accuracy == compared.challenger
    difference = compared.challenger.value - compared.champion.value
    assert compared.difference.value == pytest.approx(difference)


def test_one_more_label_is_one_label() -> None:
    found = decide([], [], [], new_labels=1)
    assert found.promote
    assert "1 more label" in str(found.reason)
    assert "labels" not in str(found.reason).partition("more")[2]


def _answers(wins: int, losses: int, same: int) -> tuple[list[str], list[str], list[str]]:
    """(truth, challenger, champion): who is right where the other is wrong, and both right."""
    n = wins + losses + same
    challenger = ["-"] * losses + ["x"] * (wins + same)
    champion = ["x"] * losses + ["-"] * wins + ["x"] * same
    return ["x"] * n, challenger, champion


def test_as_many_better_as_worse_is_promoted_and_one_worse_is_kept() -> None:
    assert decide(*_answers(3, 3, 34)).promote
    kept = decide(*_answers(3, 4, 33))
    assert not kept.promote
    assert "a loss of more than" not in str(kept.reason)
    assert "不能排除" not in in_chinese(kept.reason)


def test_a_sample_tells_from_the_size_on_at_which_a_fifth_that_differs_fits_the_tolerance() -> None:
    assert rows_to_tell(0.05) == 308
    assert rows_to_tell(0.1) == 77
    small = decide(*_answers(40, 40, 227))
    assert small.promote
    assert small.evidence["is_small_sample"]
    assert not small.evidence["is_loss_ruled_out"]
    assert str(small.reason).endswith("the sample is still small")
    assert in_chinese(small.reason).endswith("样本仍较小")
    large = decide(*_answers(40, 40, 228))
    assert not large.promote
    assert not large.evidence["is_small_sample"]
    assert "a loss of more than 5 points is possible" in str(large.reason)
    assert "不能排除下降超过 5 个百分点" in in_chinese(large.reason)


def test_alike_models_are_promoted_and_a_loss_is_ruled_out() -> None:
    found = decide(*_answers(2, 2, 396))
    assert found.promote
    assert found.evidence["is_loss_ruled_out"]
    assert not found.evidence["is_small_sample"]
    assert str(found.reason).endswith("worse)")


@pytest.mark.parametrize("tolerance", [0.0, -0.05])
def test_a_tolerance_is_above_zero(tolerance: float) -> None:
    with pytest.raises(ShapeMismatch, match="above zero"):
        decide(["x"], ["x"], ["x"], tolerance=tolerance)


def test_one_audited_record_is_a_record() -> None:
    assert "1 audited record:" in str(decide(["x"], ["x"], ["x"]).reason)
    assert "2 audited records:" in str(decide(["x"] * 2, ["x"] * 2, ["x"] * 2).reason)
