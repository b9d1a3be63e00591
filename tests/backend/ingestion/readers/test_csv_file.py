"""Delimiters that are named or told by the rows, long cells, protected cells."""

from pathlib import Path
from typing import Any

import pytest

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers import open_reader
from backend.ingestion.readers.csv_file import CsvReader
from backend.ingestion.readers.text import MAX_LENGTH
from backend.ingestion.schemas import Reject


def rows_of(path: Path, **options: Any) -> list[tuple[int, dict[str, Any]]]:
    with open_reader(path, **options) as reader:
        return list(reader.rows())


def test_the_first_line_of_excel_names_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for start in ("sep=;\n", "\ufeffsep=;\r\n", '"sep=;"\n', "SEP=;\n"):
        path.write_text(f"{start}sku;name;price\n1;a;2,50\n2;b;3\n", encoding="utf-8", newline="")
        assert rows_of(path) == [
            (3, {"sku": "1", "name": "a", "price": "2,50"}),
            (4, {"sku": "2", "name": "b", "price": "3"}),
        ]


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r"])
def test_what_cannot_separate_cells_is_refused(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,a\n1,2\n")
    with pytest.raises(UnreadableSource, match="cannot be separated by") as caught:
        rows_of(path, delimiter=delimiter)
    assert caught.value.field == "delimiter"


def test_names_with_other_delimiters_do_not_mislead(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,a|b|c|d\n1,x\n2,y\n")
    assert rows_of(path)[0] == (2, {"id": "1", "a|b|c|d": "x"})
    path.write_text("id;a, b, c\n1;2,5\n")
    assert rows_of(path) == [(2, {"id": "1", "a, b, c": "2,5"})]


def test_a_cell_may_be_as_long_as_a_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    long = "x" * 1_000_000
    path.write_text(f"id,text\n1,{long}\n2,{'y' * (MAX_LENGTH + 1)}\n3,z\n")
    rejects: list[Reject] = []
    assert rows_of(path, on_reject=rejects.append) == [
        (2, {"id": "1", "text": long}),
        (4, {"id": "3", "text": "z"}),
    ]
    assert [reject.line for reject in rejects] == [3]


def test_protecting_apostrophes_are_taken_away_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,'=x\n1,'=SUM(A1)\n2,''=1\n3,'tis\n4,-1\n")
    reader = CsvReader(path, None, None, lambda _reject: None)
    for _ in range(2):
        texts = [row["=x"] for _, row in reader.rows()]
        assert texts == ["=SUM(A1)", "'=1", "'tis", "-1"]
        assert reader.text_form.restored_cells == 2
    reader.close()
