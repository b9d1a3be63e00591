"""What is wrong with a user's own file is said before anything is started."""

import csv
import gzip
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.core.exceptions import AppError, InvalidInput, UnreadableSource
from backend.demo.source import own_file
from backend.embedded.stack import EmbeddedStack

ROWS = [["number", "title", "price"], ["1", "kettle", "12"], ["2", "cup", "3"]]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return written(tmp_path / "shop.csv", ROWS)


def written(file: Path, rows: list[list[str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return file


def test_a_file_of_one_s_own_keeps_its_columns(shop: Path) -> None:
    source = own_file(shop, None, "number", is_simulated=False)
    assert source.schema.fields == ("title", "price")
    assert own_file(shop, None, None, is_simulated=False).schema.fields == (
        "number",
        "title",
        "price",
    )


def test_nobody_is_simulated_unless_asked_for(shop: Path) -> None:
    for_people = own_file(shop, None, "number", is_simulated=False)
    assert (for_people.project, for_people.truth) == ("shop", None)
    simulated = own_file(shop, None, "number", is_simulated=True)
    assert simulated.project == "Demo shop"
    assert simulated.truth is not None
    assert own_file(
        written(shop.with_name("数.csv"), ROWS), None, None, is_simulated=False
    ).project == ("数 records")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = CliRunner().invoke(app, ["demo", "--data", str(tmp_path / "no.csv")]).exception
    assert isinstance(error, InvalidInput)
    assert "There is no" in str(error)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_bytes("编号,名称\n1,马克杯\n2,碗\n".encode("gb18030"))
    with pytest.raises(UnreadableSource, match=r"Try --encoding gb18030: .*马克杯"):
        own_file(file, None, "编号")
    source = own_file(file, None, "编号", "gb18030")
    assert (source.schema.fields, source.encoding) == (("名称",), "gb18030")
    with pytest.raises(InvalidInput, match="--encoding gb18030 is for a file of your own"):
        CliRunner().invoke(app, ["demo", "--encoding", "gb18030"], catch_exceptions=False)


def test_an_id_column_that_is_not_there_is_named_with_those_that_are(shop: Path) -> None:
    with pytest.raises(InvalidInput, match="no column 'sku'; it has: number, title") as error:
        own_file(shop, None, "sku", is_simulated=False)
    assert (error.value.field, error.value.value) == ("id_column", "sku")


@pytest.mark.parametrize("named", ["weight", "number"])
def test_a_schema_names_columns_that_can_be_labelled(shop: Path, named: str) -> None:
    schema = shop.with_suffix(".yaml")
    schema.write_text(f"fields: [title, {named}]\n")
    with pytest.raises(InvalidInput, match=f"does not have: {named}"):
        own_file(shop, schema, "number", is_simulated=False)


@pytest.mark.parametrize("rows", [[["id"], ["1"]], [["id", "grade"], ["1", "good"]]])
def test_a_file_without_anything_to_label_is_refused(tmp_path: Path, rows: list[list[str]]) -> None:
    with pytest.raises(InvalidInput, match="no column to label"):
        own_file(written(tmp_path / "bare.csv", rows), None, "id", is_simulated=False)


def pair(folder: Path) -> list[str]:
    """Two tables whose rows have no name."""
    for name in ("dirty.csv.gz", "clean.csv.gz"):
        with gzip.open(folder / name, "wt", encoding="utf-8") as out:
            out.write("title,price\ncup,3\n")
    return ["--data", str(folder)]


@pytest.mark.parametrize("case", ["id column", "no file", "pair"])
def test_nothing_is_started_for_wrong_input(
    shop: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    def started(*_: object) -> None:
        raise AssertionError("the stack was started")

    monkeypatch.setenv("ASSAY_DATA_DIR", str(shop.parent / "assay"))
    monkeypatch.setattr(EmbeddedStack, "up", started)
    options = {
        "id column": ["--data", str(shop), "--id-column", "sku"],
        "no file": ["--id-column", "sku"],
        "pair": pair(shop.parent),
    }[case]
    error = CliRunner().invoke(app, ["demo", *options]).exception
    assert isinstance(error, AppError)
    assert isinstance(error, UnreadableSource) == (case == "pair")
