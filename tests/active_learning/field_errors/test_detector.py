"""A few marked records find the faults of the whole table; bad input is refused in words."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from active_learning.columns.signals import ColumnSignals
from active_learning.exceptions import NoLabels, NotFitted, ShapeMismatch, UnknownLabel
from active_learning.field_errors import CellTable, FieldErrorDetector
from active_learning.types import Marks
from tests.active_learning.field_errors.conftest import Shop, make_shop

DATA = Path(os.environ.get("ASSAY_DATA", "../shared/data"))


def run_loop(detector: FieldErrorDetector, wrong: Marks, rows: int, sampler: str) -> Marks:
    marks = np.full(wrong.shape, -1, dtype=np.int8)
    while (done := int((marks[:, 0] >= 0).sum())) < rows:
        chosen = detector.choose_rows(min(4, rows - done), sampler=sampler)
        marks[chosen] = wrong[chosen]
        detector.fit(marks)
    return marks


@pytest.mark.parametrize("seed", range(3))
def test_twenty_records_find_nearly_all_faults(seed: int) -> None:
    made = make_shop(seed, 400)
    detector = FieldErrorDetector(made.table, seed=seed)
    marks = run_loop(detector, made.wrong, 20, "mixture")
    unseen = marks < 0
    assert f1_score(made.wrong[unseen], detector.predict()[unseen]) > 0.9


def test_marks_stay_and_equal_seeds_give_equal_answers(shop: Shop) -> None:
    first, second = (FieldErrorDetector(shop.table, seed=4) for _ in range(2))
    marks = run_loop(first, shop.wrong, 12, "mixture")
    run_loop(second, shop.wrong, 12, "mixture")
    np.testing.assert_array_equal(first.predict_proba(), second.predict_proba())
    seen = marks >= 0
    np.testing.assert_array_equal(first.predict_proba()[seen], marks[seen])
    some = np.array([3, 399, 0])
    np.testing.assert_array_equal(first.predict_proba(some), first.predict_proba()[some])


def test_partly_marked_records_are_enough(shop: Shop) -> None:
    marks = np.full(shop.wrong.shape, -1, dtype=np.int8)
    marks[:60, 1] = shop.wrong[:60, 1]
    marks[60:120, 2] = shop.wrong[60:120, 2]
    probabilities = FieldErrorDetector(shop.table).fit(marks).predict_proba()
    rest = probabilities[120:, 1]
    assert rest[shop.wrong[120:, 1] == 1].min() > rest[shop.wrong[120:, 1] == 0].max()


@pytest.mark.parametrize(("mark", "rate"), [(0, 1 / 27), (1, 26 / 27)])
def test_one_sided_marks_give_laplaces_rate(shop: Shop, mark: int, rate: float) -> None:
    marks = np.full(shop.wrong.shape, -1, dtype=np.int8)
    marks[:5] = mark
    detector = FieldErrorDetector(shop.table).fit(marks)
    assert not detector.tells_fields_apart
    np.testing.assert_allclose(detector.predict_proba()[5:], rate)
    assert detector.predict()[5:].all() == bool(mark)
    assert len(set(detector.choose_rows(7).tolist())) == 7


def test_no_mark_at_all_is_a_coin(shop: Shop) -> None:
    detector = FieldErrorDetector(shop.table)
    with pytest.raises(NotFitted):
        detector.predict_proba()
    detector.fit(np.full(shop.wrong.shape, -1, dtype=np.int8))
    np.testing.assert_allclose(detector.predict_proba(), 0.5)


def test_tables_without_content() -> None:
    with pytest.raises(NoLabels):
        CellTable([])
    with pytest.raises(NoLabels):
        CellTable([{}])
    empty = FieldErrorDetector([{"a": None, "b": ""} for _ in range(30)])
    marks = np.full((30, 2), -1, dtype=np.int8)
    marks[:4] = [1, 0]
    assert np.isfinite(empty.table.cells).all()
    np.testing.assert_array_equal(empty.fit(marks).predict()[4:], [[True, False]] * 26)


def test_one_column_is_a_table() -> None:
    detector = FieldErrorDetector([{"size": "XL" if n % 9 else "X1L"} for n in range(90)])
    wrong = np.array([[n % 9 == 0] for n in range(90)], dtype=np.int8)
    run_loop(detector, wrong, 15, "random")
    np.testing.assert_array_equal(detector.predict(), wrong == 1)


def test_a_record_with_other_columns_is_named() -> None:
    with pytest.raises(ShapeMismatch, match=r"Record 1 .*missing \['b'\].*unknown \['c'\]"):
        CellTable([{"a": "1", "b": "2"}, {"a": "1", "c": "2"}])
    signals = ColumnSignals.fit([{"a": "1"}])
    with pytest.raises(ShapeMismatch, match="fit the signals"):
        CellTable([{"a": "1", "b": "2"}], signals, fields=["a", "b"])


def test_marks_of_another_table_are_refused(shop: Shop) -> None:
    detector = FieldErrorDetector(shop.table)
    with pytest.raises(ShapeMismatch, match="400, 5"):
        detector.fit(np.zeros((3, 5), dtype=np.int8))
    with pytest.raises(UnknownLabel, match="2"):
        detector.fit(np.full(shop.wrong.shape, 2, dtype=np.int8))
    with pytest.raises(ShapeMismatch, match="'weight'"):
        detector.evidence(0, "weight")


def test_signals_of_the_records_can_be_shared(shop: Shop) -> None:
    again = CellTable(shop.table.records, shop.table.signals)
    np.testing.assert_array_equal(again.cells, shop.table.cells)


@pytest.mark.parametrize(("name", "least"), [("ed_hospital", 0.9), ("ed_beers", 0.96)])
def test_known_tables(name: str, least: float) -> None:
    from benchmarks.field_errors import compared, read_table, scores

    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"{folder} is absent; set ASSAY_DATA to the data sets")
    known = compared(name, *(read_table(folder / f"{side}.csv") for side in ("dirty", "clean")))
    detector = FieldErrorDetector(CellTable(known.rows), seed=1)
    run_loop(detector, known.wrong, 20, "mixture")
    assert scores(known.wrong, detector.predict())[0] > least
