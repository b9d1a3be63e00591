"""``assay import`` and ``assay datasets`` on a real store."""

import csv
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.core.exceptions import (
    ConfigurationError,
    InvalidInput,
    NotFound,
    UnreadableSource,
)
from backend.core.settings import get_settings


@pytest.fixture
def store(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ASSAY_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("ASSAY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def assay(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_import_list_and_export(store: Path) -> None:
    (store / "shop.csv").write_bytes("编号,名称\n1,马克杯\n,x\n2,碗\n".encode("gb18030"))
    command = [
        "import",
        "shop.csv",
        "--dataset",
        "shop",
        "--id-column",
        "编号",
        "--map",
        "名称=title",
        "--kind",
        "product",
    ]
    with pytest.raises(UnreadableSource, match="--encoding gb18030"):
        assay(*command)
    code, output = assay(*command, "--encoding", "gb18030", "--rejects", "rejects.csv")
    assert code == 3
    assert "the external id is empty" in output
    with (store / "rejects.csv").open(encoding="utf-8-sig") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["3"]

    code, output = assay("datasets", "list")
    assert code == 0
    assert "shop" in output
    assert "product" in output
    code, output = assay("datasets", "export", "shop", "out.csv")
    assert code == 0
    with (store / "out.csv").open(encoding="utf-8-sig") as file:
        assert [row["title"] for row in csv.DictReader(file)] == ["马克杯", "碗"]

    code, output = assay(*command, "--encoding", "gb18030", "--strict")
    assert code == 1
    assert "nothing is kept" in output


def test_a_table_by_url(store: Path) -> None:
    with sqlite3.connect(store / "x.db") as connection:
        connection.execute("create table t (sku text, title text)")
        connection.execute("insert into t values ('1', 'mug')")
    connection.close()
    code, output = assay(
        "import",
        "--url",
        "sqlite:///x.db",
        "--table",
        "t",
        "--dataset",
        "shop",
        "--id-column",
        "sku",
    )
    assert code == 0
    assert "done" in output


def test_wrong_usage(store: Path) -> None:
    with pytest.raises(InvalidInput, match="either a file, or"):
        assay("import", "--dataset", "shop")
    with pytest.raises(InvalidInput, match="COLUMN=FIELD"):
        assay("import", "a.csv", "--dataset", "shop", "--map", "a")
    with pytest.raises(InvalidInput, match="no format 'xlsx'"):
        assay("import", "a.csv", "--dataset", "shop", "--format", "xlsx")
    assert assay("import", "a.csv")[0] == 2


def test_a_store_that_was_never_migrated(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_DATABASE_URL", f"sqlite:///{store}/new.sqlite3")
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match="assay migrate"):
        assay("datasets", "list")
    assert assay("migrate")[0] == 0
    assert "No datasets yet" in assay("datasets", "list")[1]
    assert assay("datasets", "create", "shop", "--field", "title")[0] == 0
    assert "shop" in assay("datasets", "list")[1]


def test_the_exit_code_tells_whether_rows_were_rejected(store: Path) -> None:
    (store / "good.csv").write_text("sku,t\n1,a\n")
    (store / "bad.csv").write_text("sku,t\n1,a\n,b\n")
    options = ["--dataset", "shop", "--id-column", "sku"]
    assert assay("import", "good.csv", *options)[0] == 0
    assert assay("import", "bad.csv", *options)[0] == 3
    assert assay("import", "bad.csv", *options, "--strict")[0] == 1
    assert assay("import", "good.csv", *options, "--strict")[0] == 0


def test_what_looks_like_markup_is_shown_as_it_is(store: Path) -> None:
    (store / "a.csv").write_text("sku,[/t]\n1,a\n2,b,[/foo]\n1,[red]\n")
    code, output = assay("import", "a.csv", "--dataset", "shop[/x]", "--id-column", "sku")
    assert code == 3
    assert "2,b,[/foo]" in output
    code, output = assay("datasets", "list")
    assert code == 0
    assert "shop[/x]" in output
    assert "[/t]" in output
    assert assay("datasets", "create", "other[/x]")[0] == 0


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(store: Path) -> None:
    (store / "a.csv").write_text("sku,t\n1,a\n,b\n")
    options = ["--dataset", "shop", "--id-column", "sku"]
    with pytest.raises(InvalidInput, match=r"nowhere/r\.csv cannot be written"):
        assay("import", "a.csv", *options, "--rejects", "nowhere/r.csv")
    with pytest.raises(InvalidInput, match=r"nowhere/out\.csv cannot be written"):
        assay("datasets", "export", "shop", "nowhere/out.csv")
    with pytest.raises(NotFound, match="'other'"):
        assay("datasets", "export", "other", "out.csv")
    assert not list(store.glob("*out.csv*"))


def test_options_that_do_not_fit_are_named_in_one_line(store: Path) -> None:
    (store / "a.csv").write_text("sku,t\n1,a\n")
    with pytest.raises(InvalidInput, match="dataset '' is not usable"):
        assay("import", "a.csv", "--dataset", "")
    with pytest.raises(InvalidInput, match="delimiter 'ab' is not usable"):
        assay("import", "a.csv", "--dataset", "shop", "--delimiter", "ab")
    with pytest.raises(InvalidInput, match="name '' is not usable"):
        assay("datasets", "create", "")


def test_a_column_with_a_comma_can_be_named(store: Path) -> None:
    file = store / "odd.csv"
    file.write_text('sku,"notes, inside",price\nA,"x, y",3\n')
    assay("import", str(file), "--dataset", "odd", "--columns", '"notes, inside", price')
    out = store / "odd.jsonl"
    assay("datasets", "export", "odd", str(out))
    kept = json.loads(out.read_text())
    assert (kept["notes, inside"], kept["price"]) == ("x, y", "3")
    assert "sku" not in kept


def test_how_the_source_was_read_is_printed(store: Path) -> None:
    columns = {"sku": [1.0, 2.0], "name": ["=1+1", "b"], "__index_level_0__": [4, 7]}
    pq.write_table(pa.table(columns), store / "a.parquet")
    code, output = assay("import", "a.parquet", "--dataset", "shop", "--id-column", "sku")
    assert code == 0
    assert "Left out: __index_level_0__; name them as columns to keep them." in output
    assert "2 ids were floats (1001.0) and became the whole number (1001)." in output
    assay("datasets", "export", "shop", "out.csv")
    assert ",'=1+1" in (store / "out.csv").read_text(encoding="utf-8-sig")
    code, output = assay("import", "out.csv", "--dataset", "again")
    assert code == 0
    assert "It is an export of a dataset" in output
    assert "1 cell had an apostrophe" in output
    assert "line number" not in output
    assay("datasets", "export", "again", "again.jsonl")
    exported = [json.loads(line) for line in (store / "again.jsonl").read_text().splitlines()]
    assert [(row["external_id"], row["name"]) for row in exported] == [("1", "=1+1"), ("2", "b")]


def test_no_cell_of_the_rejected_rows_is_run_by_a_spreadsheet(store: Path) -> None:
    (store / "a.csv").write_text("sku,name\n=1+1\n")
    command = ("import", "a.csv", "--dataset", "shop", "--id-column", "sku")
    assert assay(*command, "--rejects", "rejects.csv")[0] == 3
    assert ",'=1+1," in (store / "rejects.csv").read_text(encoding="utf-8-sig")
