"""polars and Hugging Face datasets, where they are installed."""

import pytest

from assay_client import PackageMissing, Table
from assay_client.rows import rows_of

ROWS = [{"sku": "1", "price": 9.5, "title": None}, {"sku": "2", "price": None, "title": "马克杯"}]
LABELS = [
    {"external_id": "1", "grade": "good", "votes": 2, "fields": {"title": "Mug", "grade": "A"}},
    {"external_id": "2", "grade": None, "votes": 0, "fields": {"title": None, "size": {"cm": 9}}},
]


def test_polars_frames_are_rows_and_rows_are_frames() -> None:
    pl = pytest.importorskip("polars")
    assert list(rows_of(pl.DataFrame(ROWS))) == ROWS
    assert list(rows_of(pl.LazyFrame(ROWS))) == ROWS
    frame = Table(LABELS).to_polars()
    assert frame.columns == ["external_id", "grade", "votes", "title", "field.grade", "size"]
    assert frame["size"].to_list() == [None, '{"cm": 9}']


def test_hugging_face_datasets_are_rows_and_rows_are_datasets() -> None:
    datasets = pytest.importorskip("datasets")
    assert list(rows_of(datasets.Dataset.from_list(ROWS))) == ROWS
    made = Table(LABELS).to_datasets()
    assert made["field.grade"][:] == ["A", None]


def test_pandas_keeps_objects_and_reads_times() -> None:
    frame = Table([row | {"decided_at": "2026-05-01T08:00:00.5Z"} for row in LABELS]).to_pandas()
    assert frame["size"].tolist()[1] == {"cm": 9}
    assert str(frame["decided_at"].dt.tz) == "UTC"
    assert frame["field.grade"].tolist()[0] == "A"


def test_an_empty_table_is_an_empty_frame() -> None:
    assert Table.of_json_lines(b"").to_pandas().empty


@pytest.mark.parametrize("package", ["pandas", "polars", "datasets"])
def test_a_package_that_is_missing_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(PackageMissing, match=rf"assay-client\[{package}\]"):
        getattr(Table(LABELS), f"to_{package}")()
