"""What the heads read: blocks that are centred, scaled and turned by the labelled rows."""

import numpy as np
import pytest

from active_learning.classifiers.design import CLIP, COMPONENTS, BlockScales, DesignMatrix
from active_learning.classifiers.faulty_fields import CORE_COLUMNS, fault_summary
from active_learning.columns.signals import Signals

FIELDS, CELL, RECORD = 3, 2, 4
PLAIN = CORE_COLUMNS + FIELDS + CELL + RECORD


def _rows(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, Signals, np.ndarray]:
    """(embeddings, signals, fault probabilities) of n records; the last signal never varies."""
    rng = np.random.default_rng(seed)
    record = rng.normal(2.0, 3.0, (n, RECORD)).astype(np.float32)
    record[:, -1] = 7.0
    signals = Signals(record, rng.normal(size=(n, FIELDS, CELL)).astype(np.float32))
    embeddings = (rng.normal(size=(n, d)) @ np.diag(np.linspace(3, 0.5, d)) + 1.0).astype(
        np.float32
    )
    return embeddings, signals, rng.uniform(0.1, 0.9, (n, FIELDS))


@pytest.mark.parametrize(("n", "d"), [(40, 6), (7, 7), (6, 30)])
def test_columns_are_centred_to_spread_one_and_directions_those_of_the_principal_components(
    n: int, d: int
) -> None:
    embeddings, signals, faults = _rows(n, d)
    design, matrix = DesignMatrix.fit(embeddings, signals, faults)
    plain = np.concatenate([fault_summary(faults, signals.cells), signals.record], axis=1)
    spread = plain.std(axis=0)
    expected = np.where(spread > 1e-6, (plain - plain.mean(axis=0)) / spread.clip(1e-9), 0.0)
    assert matrix[:, :PLAIN] == pytest.approx(expected.clip(-CLIP, CLIP), abs=1e-3)
    assert (matrix[:, PLAIN - 1] == 0).all(), "what never varies says nothing"
    centred = embeddings - embeddings.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred.astype(float), full_matrices=False)
    kept = int((singular > 1e-3 * singular[0]).sum())
    assert design.basis.shape == (d, d if n >= d else n - 1)
    for place in range(kept):
        assert abs(design.basis[:, place] @ directions[place]) == pytest.approx(1.0, abs=1e-3)
    assert design.basis.T @ design.basis == pytest.approx(np.eye(design.basis.shape[1]), abs=1e-3)
    assert matrix[:, PLAIN:] == pytest.approx(centred @ design.basis, abs=1e-3)
    assert design.scales == BlockScales(1.0, 1.0)


@pytest.mark.parametrize("n", [COMPONENTS + 30, 2 * COMPONENTS])
def test_no_more_directions_are_kept_than_160(n: int) -> None:
    embeddings, signals, faults = _rows(n, COMPONENTS + 20)
    design, matrix = DesignMatrix.fit(embeddings, signals, faults)
    assert design.basis.shape == (COMPONENTS + 20, 160)
    assert matrix.shape == (n, PLAIN + 160)


def test_one_odd_record_is_cut_at_six_standard_deviations() -> None:
    embeddings, signals, faults = _rows(40, 5)
    design, _ = DesignMatrix.fit(embeddings, signals, faults)
    for sign in (-1.0, 1.0):
        odd = Signals(signals.record.copy(), signals.cells)
        odd.record[0, 0] = sign * 1e6
        found = design.transform(embeddings, odd, faults)
        assert found[0, CORE_COLUMNS + FIELDS + CELL] == sign * 6.0


def test_scales_leave_the_core_columns_alone_and_weigh_signals_and_text() -> None:
    embeddings, signals, faults = _rows(40, 5)
    design, plain = DesignMatrix.fit(embeddings, signals, faults)
    scaled = design.with_scales(BlockScales(0.5, 3.0))
    matrix = scaled.transform(embeddings, signals, faults)
    assert matrix == pytest.approx(scaled.rescale(plain))
    core, text = slice(0, CORE_COLUMNS), slice(PLAIN, None)
    assert matrix[:, core] == pytest.approx(plain[:, core])
    assert matrix[:, CORE_COLUMNS:PLAIN] == pytest.approx(3.0 * plain[:, CORE_COLUMNS:PLAIN])
    assert matrix[:, text] == pytest.approx(0.5 * plain[:, text])
    silent = design.with_scales(BlockScales(0.0, 3.0)).transform(embeddings, signals, faults)
    assert silent.shape == matrix.shape
    assert (silent[:, text] == 0).all()
    assert silent[:, :PLAIN] == pytest.approx(matrix[:, :PLAIN])


def test_arrays_give_the_same_matrix_back() -> None:
    embeddings, signals, faults = _rows(40, 5)
    design = DesignMatrix.fit(embeddings, signals, faults)[0].with_scales(BlockScales(0.5, 3.0))
    again = DesignMatrix.from_arrays(design.to_arrays())
    assert again.scales == design.scales
    found = again.transform(embeddings, signals, faults)
    assert (found == design.transform(embeddings, signals, faults)).all()


@pytest.mark.parametrize("rows", [60, 97, 100, 333])
def test_a_column_that_never_varies_is_no_signal(rows: int) -> None:
    """Rounding gave it a spread, and heads of texts alone fell silent for half of the draws."""
    embeddings = np.random.default_rng(0).normal(size=(rows, 8)).astype(np.float32)
    blank = Signals(np.zeros((rows, 0), np.float32), np.zeros((rows, 1, 1), np.float32))
    faults = np.full((rows, 1), 0.001, dtype=np.float64)
    design, _ = DesignMatrix.fit(embeddings, blank, faults)
    assert not np.isfinite(design.spread).any()
