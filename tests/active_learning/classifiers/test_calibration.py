"""The temperature is the one with the least log loss, and few rows change nothing."""

import numpy as np
import pytest

from active_learning.classifiers.calibration import MIN_ROWS, platt_scaling, temperature_for


def _drawn(n: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of three classes, ``sharpness`` times what the codes were drawn with."""
    rng = np.random.default_rng(5)
    logits = rng.normal(scale=2.0, size=(n, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    codes = np.array([rng.choice(3, p=row) for row in p])
    return logits * sharpness, codes


def _log_loss(logits: np.ndarray, codes: np.ndarray, temperature: float) -> float:
    p = np.exp(logits / temperature)
    p /= p.sum(axis=1, keepdims=True)
    return float(-np.log(p[np.arange(len(codes)), codes]).mean())


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_how_sharp_the_logits_are(sharpness: float) -> None:
    logits, codes = _drawn(4_000, sharpness)
    assert temperature_for(logits, codes) == pytest.approx(sharpness, rel=0.1)


def test_the_temperature_has_the_least_log_loss_of_all_tried() -> None:
    logits, codes = _drawn(60, 2.0)
    tried = np.exp(np.linspace(np.log(0.2), np.log(20.0), 4_000))
    best = tried[np.argmin([_log_loss(logits, codes, each) for each in tried])]
    assert temperature_for(logits, codes) == pytest.approx(best, rel=0.01)


def test_the_temperature_stays_between_a_fifth_and_twenty() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 3, 300)
    sure = np.eye(3)[codes]
    assert temperature_for(sure, codes) == pytest.approx(0.2, rel=0.01)
    noise = 1_000.0 * rng.normal(size=(300, 3))
    assert temperature_for(noise, codes) == pytest.approx(20.0, rel=0.01)


def test_rows_whose_class_is_unknown_do_not_count() -> None:
    logits, codes = _drawn(200, 2.0)
    hidden = codes.copy()
    hidden[100:] = -1
    assert temperature_for(logits, hidden) == pytest.approx(
        temperature_for(logits[:100], codes[:100])
    )


def test_twenty_rows_are_enough_for_a_temperature_and_nineteen_are_not() -> None:
    assert MIN_ROWS == 20
    logits, codes = _drawn(20, 3.0)
    assert temperature_for(logits, codes) != 1.0
    assert temperature_for(logits[:19], codes[:19]) == 1.0


def test_platt_scaling_takes_twenty_known_answers_of_both_kinds() -> None:
    logits = np.linspace(-1.0, 1.0, 20)
    marks = (logits > 0).astype(np.int8)
    assert platt_scaling(logits, marks) != (1.0, 0.0)
    assert platt_scaling(logits[1:], marks[1:]) == (1.0, 0.0)
    assert platt_scaling(logits, np.ones(20, np.int8)) == (1.0, 0.0)
    assert platt_scaling(logits, np.zeros(20, np.int8)) == (1.0, 0.0)
    unknown = np.append(marks, [-1, -1]).astype(np.int8)
    assert platt_scaling(np.append(logits, [9.0, -9.0]), unknown) == platt_scaling(logits, marks)


def test_slopes_stay_between_a_twentieth_and_five() -> None:
    logits = np.linspace(-1.0, 1.0, 2_000)
    marks = (logits > 0).astype(np.int8)
    assert platt_scaling(logits, marks)[0] == 5.0
    assert platt_scaling(logits, 1 - marks)[0] == 0.05
