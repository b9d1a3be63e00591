"""A dirty table beside its clean twin."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from backend.demo.retail import (
    PairedTablesError,
    default_folder,
    issue_of,
    label_schema,
    read_pairs,
)
from labeling.label_schema import LabelSchema

HEADER = "code,category,description,sizevalue,saleenddate\n"


def _tables(folder: Path, dirty: str, clean: str, *, clean_header: str = HEADER) -> Path:
    with gzip.open(folder / "dirty.csv.gz", "wt", encoding="utf-8") as file:
        file.write(HEADER + dirty)
    with gzip.open(folder / "clean.csv.gz", "wt", encoding="utf-8") as file:
        file.write(clean_header + clean)
    return folder


def test_grade_is_the_number_of_wrong_fields(tmp_path: Path) -> None:
    folder = _tables(
        tmp_path,
        "1,GIN,Dry,1L,11/30/2022\n2,GNI,Dry,1L,11/30/2022\n1,GIN,Dyr,L1,11302022\n",
        "1,GIN,Dry,1L,11/30/2022\n2,GIN,Dry,1L,11/30/2022\n1,GIN,Dry,1L,11/30/2022\n",
    )
    good, fair, poor = read_pairs(folder)
    assert [record.record_id for record in (good, fair, poor)] == ["1", "2", "1-2"]
    assert good.truth.grade == "good"
    assert good.truth.issues == ()
    assert good.fields == {
        "category": "GIN",
        "description": "Dry",
        "sizevalue": "1L",
        "saleenddate": "11/30/2022",
    }
    assert fair.truth.grade == "fair"
    assert fair.truth.corrected == {"category": "GIN"}
    assert poor.truth.grade == "poor"
    assert poor.truth.issues == ("typo", "invalid_format")
    assert poor.truth.faulty_fields == ("description", "sizevalue", "saleenddate")


@pytest.mark.parametrize(
    ("dirty", "clean", "issue"),
    [
        ("", "GIN", "missing_value"),
        ("GNI", "GIN", "typo"),
        ("1/30/2022", "11/30/2022", "wrong_value"),
        ("11/302022", "11/30/2022", "invalid_format"),
        ("11/30/202", "11/30/2022", "invalid_format"),
        ("705ML", "750ML", "wrong_value"),
        ("75c0ML", "750ML", "invalid_format"),
        ("L1", "1L", "invalid_format"),
    ],
)
def test_issue_by_kind_of_difference(dirty: str, clean: str, issue: str) -> None:
    assert issue_of(dirty, clean) == issue


def test_missing_file_names_it_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(PairedTablesError, match=r"dirty\.csv\.gz is missing.*ASSAY_DATA"):
        list(read_pairs(tmp_path))


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [("1,a,b,c,d\n2,a,b,c,d\n", "1,a,b,c,d\n"), ("1,a,b,c,d\n", "1,a,b,c,d\n2,a,b,c,d\n")],
)
def test_tables_of_different_length_are_refused(tmp_path: Path, dirty: str, clean: str) -> None:
    with pytest.raises(PairedTablesError, match="one line for each record"):
        list(read_pairs(_tables(tmp_path, dirty, clean)))


def test_tables_of_different_columns_are_refused(tmp_path: Path) -> None:
    folder = _tables(tmp_path, "1,a,b,c,d\n", "1\n", clean_header="code\n")
    with pytest.raises(PairedTablesError, match="must be the same"):
        list(read_pairs(folder))


def test_the_real_table() -> None:
    folder = default_folder()
    if not (folder / "dirty.csv.gz").is_file():
        pytest.skip(f"{folder} is not here; set ASSAY_DATA")
    records = list(read_pairs(folder))
    assert len(records) == 12_832
    assert len({record.record_id for record in records}) == len(records)
    assert Counter(record.truth.grade for record in records) == {
        "good": 4_808,
        "fair": 5_380,
        "poor": 2_644,
    }
    schema = LabelSchema.model_validate(label_schema(tuple(records[0].fields)))
    issues = {issue for record in records for issue in record.truth.issues}
    assert issues <= set(schema.issue_values)
    assert "code" not in {name for record in records for name in record.truth.faulty_fields}
