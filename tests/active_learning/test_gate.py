"""What the gate says where there is nothing to measure, nothing to read, and of one sample."""

from dataclasses import asdict

import numpy as np
import pytest

from active_learning.evaluation import compare, evaluate
from active_learning.gate import decide


def test_without_audits_more_labels_decide_and_the_reason_says_that_nothing_was_measured() -> None:
    learnt_more = decide([], [], [], new_labels=16)
    assert learnt_more.promote
    assert "not measured" in learnt_more.reason.en
    assert "16 more labels" in learnt_more.reason.en
    assert "未经测量" in learnt_more.reason.zh
    assert learnt_more.evidence == {"rule": "not measured", "n": 0, "new_labels": 16}
    for new_labels in (0, -3):
        kept = decide([], [], [], new_labels=new_labels)
        assert not kept.promote
        assert "not measured" in kept.reason.en
        assert "未经测量" in kept.reason.zh


@pytest.mark.parametrize("n", [0, 3])
def test_a_champion_that_cannot_be_read_is_not_called_a_first_model(n: int) -> None:
    found = decide(["x"] * n, ["x"] * n, None, unreadable="v3")
    assert found.promote
    assert "champion v3 could not be read" in found.reason.en
    assert "无法读取在用模型 v3" in found.reason.zh
    assert "first" not in found.reason.en
    assert found.evidence == {"rule": "unreadable champion", "champion": "v3", "n": n}
    assert decide(["x"] * n, ["x"] * n, None).evidence == {"rule": "first", "n": n}


def test_the_gate_tells_both_accuracies_on_the_sample_that_it_decides_on() -> None:
    truth = ["x"] * 40
    challenger = ["x"] * 30 + ["-"] * 10
    champion = ["x"] * 27 + ["-"] * 13
    found = decide(truth, challenger, champion)
    assert "75.0 % right beside 67.5 % of the champion on the same 40 audited" in found.reason.en
    assert "+7.5 points" in found.reason.en
    assert "75.0%" in found.reason.zh
    assert "67.5%" in found.reason.zh
    compared = compare(truth, challenger, champion)
    assert found.evidence["challenger"] == asdict(compared.challenger)
    assert found.evidence["champion"] == asdict(compared.champion)
    probabilities = np.array([[0.9, 0.1]] * 30 + [[0.1, 0.9]] * 10)
    assert evaluate(truth, probabilities, ["x", "-"]).accuracy == compared.challenger
    difference = compared.challenger.value - compared.champion.value
    assert compared.difference.value == pytest.approx(difference)
