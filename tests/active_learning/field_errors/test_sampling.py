"""Every sampler gives exactly the asked number of different unmarked records."""

import numpy as np
import pytest

from active_learning.exceptions import EmptyPool, UnknownStrategy
from active_learning.field_errors import SAMPLERS, CellTable, FieldErrorDetector
from active_learning.field_errors import detector as detector_module
from tests.active_learning.field_errors.conftest import Shop


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_batches_are_exact_and_disjoint(shop: Shop, sampler: str) -> None:
    detector = FieldErrorDetector(shop.table, seed=2)
    marks = np.full(shop.wrong.shape, -1, dtype=np.int8)
    for _ in range(3):
        chosen = detector.choose_rows(6, sampler=sampler)
        assert len(set(chosen.tolist())) == 6
        assert (marks[chosen] < 0).all()
        np.testing.assert_array_equal(chosen, detector.choose_rows(6, sampler=sampler))
        marks[chosen] = shop.wrong[chosen]
        detector.fit(marks)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_whole_table_can_be_asked_for_but_no_more(sampler: str) -> None:
    table = CellTable([{"a": str(n % 3), "b": "same"} for n in range(12)])
    detector = FieldErrorDetector(table)
    marks = np.full((12, 2), -1, dtype=np.int8)
    marks[4, 0] = 0
    chosen = detector.choose_rows(11, marks=marks, sampler=sampler)
    assert sorted(chosen.tolist()) == [n for n in range(12) if n != 4]
    with pytest.raises(EmptyPool, match="12 records are asked for, 11"):
        detector.choose_rows(12, marks=marks, sampler=sampler)
    assert len(detector.choose_rows(0, sampler=sampler)) == 0


def test_an_unknown_sampler_is_refused(shop: Shop) -> None:
    with pytest.raises(UnknownStrategy, match="mixture"):
        FieldErrorDetector(shop.table).choose_rows(1, sampler="entropie")


def test_clustering_reaches_a_rare_kind_of_value_early() -> None:
    rng = np.random.default_rng(0)
    kinds = ["plain", "12-34-56", "UPPER CASE TEXT", "a@b.c"]
    values = [kinds[0]] * 285 + kinds[1:] * 5
    order = rng.permutation(len(values))
    table = CellTable([dict.fromkeys("abcde", values[n]) for n in order])
    found = {}
    for sampler in ("random", "clustering"):
        seen = [
            len(
                {
                    values[order[n]]
                    for n in FieldErrorDetector(table, seed=s).choose_rows(6, sampler=sampler)
                }
            )
            for s in range(10)
        ]
        found[sampler] = float(np.mean(seen))
    assert found["clustering"] > found["random"] + 0.5


def test_large_tables_are_sampled_down(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_module, "CANDIDATES", 10)
    assert len(FieldErrorDetector(shop.table).choose_rows(25)) == 25
    assert len(FieldErrorDetector(shop.table).choose_rows(5)) == 5
