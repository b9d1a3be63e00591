"""What is pulled towards the usual, and by how much."""

import numpy as np
import pytest
from scipy.optimize import minimize

from active_learning.classifiers.calibration import MIN_ROWS, platt_scaling
from active_learning.classifiers.design import BlockScales, DesignMatrix
from active_learning.classifiers.logistic_heads import LogisticHeads
from active_learning.label_confusion import PRIOR_RECORDS, true_label_posterior


def _platt_without_pull(logits: np.ndarray, marks: np.ndarray) -> np.ndarray:
    def loss(at: np.ndarray) -> float:
        scaled = at[0] * logits + at[1]
        return float((np.logaddexp(0.0, scaled) - marks * scaled).sum())

    found: np.ndarray = minimize(loss, [1.0, 0.0], bounds=[(0.05, 5.0), (-8.0, 8.0)]).x
    return found


def test_platt_scaling_is_pulled_to_leaving_the_logits_as_they_are() -> None:
    """Separable rows: without the pull the slope runs to its bound, with it it stays near one."""
    logits = np.linspace(-1.0, 1.0, MIN_ROWS)
    marks = (logits > 0).astype(np.int8)
    assert _platt_without_pull(logits, marks)[0] == pytest.approx(5.0)
    slope, offset = platt_scaling(logits, marks)
    # Where the slopes of the log loss and of the pull, (slope - 1) squared, cancel out.
    errors = 1 / (1 + np.exp(-slope * logits)) - marks
    assert errors @ logits + 2.0 * (slope - 1.0) == pytest.approx(0.0, abs=1e-3)
    assert 1.5 < slope < 3.0
    assert offset == pytest.approx(0.0, abs=1e-3)


def test_the_pull_on_the_offset_is_a_tenth_of_that_on_the_slope() -> None:
    """Logits that say nothing: the offset alone carries the share of yes, and is pulled to zero."""
    marks = np.array([1] * 19 + [0], np.int8)
    _, offset = platt_scaling(np.zeros(20), marks)
    # Where the slope of the loss, 20 sigmoid(b) - 19, equals that of the pull, -0.2 b.
    assert 20 / (1 + np.exp(-offset)) - 19 + 0.2 * offset == pytest.approx(0.0, abs=1e-3)
    assert 0 < offset < np.log(19)


def test_many_rows_outweigh_the_pull() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=20_000)
    marks = (rng.random(20_000) < 1 / (1 + np.exp(-(2.0 * logits - 1.0)))).astype(np.int8)
    slope, offset = platt_scaling(logits, marks)
    assert slope == pytest.approx(2.0, abs=0.1)
    assert offset == pytest.approx(-1.0, abs=0.1)


def _design(rng: np.random.Generator, centre: float, scales: BlockScales) -> DesignMatrix:
    """Six dimensions of text and seven plain columns, around ``centre``, nothing cut away."""
    turned, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    return DesignMatrix(
        scales,
        rng.normal(centre, 1.0, 6).astype(np.float32),
        turned.astype(np.float32),
        rng.normal(centre, 1.0, 7).astype(np.float32),
        rng.uniform(0.5, 2.0, 7).astype(np.float32),
    )


def _logits(
    design: DesignMatrix, heads: LogisticHeads, plain: np.ndarray, text: np.ndarray
) -> np.ndarray:
    scaled = (plain - design.mean) / design.spread
    rows = np.concatenate([scaled, (text - design.embedding_mean) @ design.basis], axis=1)
    found: np.ndarray = design.rescale(rows.astype(np.float32)) @ heads.weights + heads.biases
    return found


def test_carried_heads_answer_alike_though_means_spreads_directions_and_scales_moved() -> None:
    rng = np.random.default_rng(3)
    former = _design(rng, 0.0, BlockScales(0.7, 1.5))
    latter = _design(rng, 2.0, BlockScales(1.3, 0.4))
    heads = LogisticHeads(rng.normal(size=(13, 4)), rng.normal(size=4), 3)
    plain, text = rng.normal(size=(50, 7)), rng.normal(size=(50, 6))
    carried = latter.carry(heads, former)
    assert _logits(latter, carried, plain, text) == pytest.approx(
        _logits(former, heads, plain, text), abs=1e-3
    )
    # The shift of both means is in the biases: a test that would pass without it proves nothing.
    assert np.abs(carried.biases - heads.biases).min() > 0.1


def test_error_rates_of_a_pair_are_pulled_to_the_mean_rate() -> None:
    """Two records of a rare class, both contradicted, in 400 that agree: the rate is not theirs."""
    assert PRIOR_RECORDS == 10.0
    codes = np.array([0] * 200 + [1] * 200 + [2] * 2)
    p = np.full((402, 3), 0.01)
    p[np.arange(402), codes] = 0.98
    p[400:] = [0.6, 0.01, 0.39]
    posterior = true_label_posterior(p, codes)
    assert posterior[:400].argmax(axis=1).tolist() == codes[:400].tolist()
    # With the rare class's own rate, 2 of 2, the labels would be as wrong as the classifier says;
    # pulled to the mean rate of half a per cent, the given label stands.
    assert (posterior[400:, 2] > 0.9).all()
