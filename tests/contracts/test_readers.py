"""What every reader promises, and how each says that a source is bad."""

import codecs
import csv
import gzip
import json
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers import Reader, open_reader
from backend.ingestion.readers.sql_table import SqlTableReader
from backend.ingestion.schemas import Reject

Rows = list[dict[str, Any]]
Open = Callable[[Path, Rows], AbstractContextManager[Reader]]

ROWS: Rows = [
    {"id": "1", "title": "Mug, blue", "note": None},
    {"id": "2", "title": '马克杯 "大"\n新款', "note": "x"},
    {"id": "007", "title": "naïve", "note": " y "},
]


def write_csv(path: Path, rows: Rows, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def csv_reader(folder: Path, rows: Rows) -> AbstractContextManager[Reader]:
    return open_reader(write_csv(folder / "rows.csv", rows))


def csv_gz_reader(folder: Path, rows: Rows) -> AbstractContextManager[Reader]:
    data = write_csv(folder / "plain.csv", rows, delimiter="\t").read_bytes()
    (folder / "rows.csv.gz").write_bytes(gzip.compress(data))
    return open_reader(folder / "rows.csv.gz")


def jsonl_reader(folder: Path, rows: Rows) -> AbstractContextManager[Reader]:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return open_reader(path)


def parquet_reader(folder: Path, rows: Rows) -> AbstractContextManager[Reader]:
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    return open_reader(folder / "rows.parquet")


@contextmanager
def sql_reader(folder: Path, rows: Rows) -> Iterator[Reader]:
    connection = sqlite3.connect(folder / "source.db")
    connection.execute("create table item (nr integer primary key, id text, title text, note text)")
    connection.executemany("insert into item (id, title, note) values (:id, :title, :note)", rows)
    connection.execute("create view items as select id, title, note from item order by nr")
    connection.commit()
    connection.close()
    reader = SqlTableReader(f"sqlite:///{folder / 'source.db'}", "items")
    yield reader
    reader.close()


OPENERS = [csv_reader, csv_gz_reader, jsonl_reader, parquet_reader, sql_reader]
each_reader = pytest.mark.parametrize("opener", OPENERS, ids=lambda opener: opener.__name__)


@each_reader
def test_rows_come_back_as_they_were_written_and_again(opener: Open, tmp_path: Path) -> None:
    with opener(tmp_path, ROWS) as reader:
        assert reader.columns == ("id", "title", "note")
        first = list(reader.rows())
        assert [row for _, row in first] == ROWS
        lines = [line for line, _ in first]
        assert lines == sorted(set(lines))
        assert lines[0] in (1, 2)
        assert list(reader.rows()) == first


@each_reader
def test_the_fraction_grows_to_one(opener: Open, tmp_path: Path) -> None:
    rows = [{"id": str(n), "title": "t" * 100, "note": None} for n in range(10_000)]
    with opener(tmp_path, rows) as reader:
        fractions = [reader.fraction()]
        fractions += [reader.fraction() for _ in reader.rows()]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] > 0.9
    assert max(fractions) <= 1.0


@each_reader
def test_memory_does_not_grow_with_the_source(opener: Open, tmp_path: Path) -> None:
    rows = [{"id": str(n), "title": f"{n} " * 40, "note": None} for n in range(30_000)]
    with opener(tmp_path, rows) as reader:
        size = sum(len(str(row["title"])) for row in rows)
        del rows
        tracemalloc.start()
        count = sum(1 for _ in reader.rows())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 30_000
    assert peak < size / 2


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_the_encoding_can_be_named(encoding: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", ROWS[1:2], encoding)
    with open_reader(path, encoding=encoding) as reader:
        assert reader.columns == ("id", "title", "note")
        assert [row for _, row in reader.rows()] == ROWS[1:2]


def test_a_wrong_encoding_is_named_with_byte_line_and_remedy(tmp_path: Path) -> None:
    rows = [{"id": "1", "title": "mug"}, {"id": "2", "title": "马克杯"}]
    path = write_csv(tmp_path / "rows.csv", rows, "gb18030")
    offset = path.read_bytes().index("马克杯".encode("gb18030"))
    with pytest.raises(UnreadableSource) as caught, open_reader(path):
        pass
    message = str(caught.value)
    assert f"0xc2 at offset {offset} (line 3)" in message
    assert "--encoding gb18030" in message
    path = write_csv(tmp_path / "wide.csv", rows, "utf-16")
    with pytest.raises(UnreadableSource, match="--encoding utf-16"), open_reader(path):
        pass
    with (
        pytest.raises(UnreadableSource, match="no encoding 'klingon'"),
        open_reader(path, encoding="klingon"),
    ):
        pass


def test_one_bad_byte_among_good_ones_does_not_stop_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    good = "".join(f"{n},马克杯\n" for n in range(10)).encode()
    path.write_bytes(b"id,title\n" + good + b"10,\xff\xfe\n" + b"11,ok\n")
    with open_reader(path) as reader:
        rows = [row for _, row in reader.rows()]
    assert len(rows) == 12
    assert rows[10]["title"] == "\udcff\udcfe"


def test_malformed_csv_lines_are_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('id;title\n1;a\n2;b;c\n\n3\n4;"x"y\n5;"two\nlines"\n6;f\n')
    rejects: list[Reject] = []
    with open_reader(path, on_reject=rejects.append) as reader:
        rows = list(reader.rows())
    assert [(line, row["id"]) for line, row in rows] == [(2, "1"), (7, "5"), (9, "6")]
    assert [reject.line for reject in rejects] == [3, 5, 6]
    assert rejects[0].reason == "3 cells, but the header has 2"
    assert "broken CSV" in rejects[2].reason


def test_an_open_quote_costs_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f"{n},{'t' * 100}\n" for n in range(5_000))
    path.write_text('id,title\nfirst,"open\n' + rows + 'second,"open\nlast,"good"\n')
    rejects: list[Reject] = []
    with open_reader(path, on_reject=rejects.append) as reader:
        lines = [(line, row["id"]) for line, row in reader.rows()]
    assert len(lines) == 5_001
    assert lines[0] == (3, "0")
    assert lines[-1] == (5_004, "last")
    assert [reject.line for reject in rejects] == [2, 5_003]


def test_the_lines_of_a_broken_text_become_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('id,title\n1,"one\ntwo, or\nthree" four\n2,x\n')
    rejects: list[Reject] = []
    with open_reader(path, on_reject=rejects.append) as reader:
        assert [row["id"] for _, row in reader.rows()] == ["2"]
    assert "lines 2 to 4 are skipped" in rejects[0].reason


def test_malformed_json_lines_are_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1}\nnot json\n\n[1]\n{"id": 2}')
    rejects: list[Reject] = []
    with open_reader(path, on_reject=rejects.append) as reader:
        assert [(line, row["id"]) for line, row in reader.rows()] == [(1, 1), (5, 2)]
    assert [(reject.line, reject.value) for reject in rejects] == [(2, "not json"), (4, "[1]")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty.*first line must name the columns"),
        ("blank.csv", b"\n1,2\n", "empty line"),
        ("twice.csv", b"id,a,a\n", "'a' more than once"),
        ("sheet.csv", b"PK\x03\x04rest", "ZIP.*Excel.*as CSV"),
        ("shop.csv", b"SQLite format 3\x00", "SQLite database.*--table"),
        ("cut.csv.gz", gzip.compress(b"id,a\n" + b"1,2\n" * 999, mtime=0)[:-20], "broken gzip"),
        ("array.jsonl", b'[{"id": 1}]', "JSON array.*one object a line"),
        ("numbers.jsonl", b"1\n2\n", "no JSON objects"),
        ("rows.parquet", b"id,a\n1,2\n", "not a readable Parquet"),
        ("cut.parquet", b"PAR1 and no more", "not a readable Parquet"),
        ("rows.xyz", b"id,a\n", "--format"),
        ("wide.csv", codecs.BOM_UTF16_LE + "id,a\n".encode("utf-16-le"), "utf-16"),
    ],
)
def test_what_is_not_what_it_claims_is_named(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableSource, match=message) as caught, open_reader(tmp_path / name):
        pass
    assert name in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for name in ("nowhere.csv", "nowhere.parquet", "nowhere.jsonl", ""):
        path = tmp_path / name
        with pytest.raises(UnreadableSource, match="cannot be read") as caught, open_reader(path):
            pass
        assert str(path) in str(caught.value)


def test_bad_databases_are_named_without_the_password(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    sqlite3.connect(file).execute("create table item (id text)").connection.close()
    cases = {
        ("nonsense", "t"): "Write it like",
        ("nodialect://u:hidden@h/d", "t"): "Write it like",
        (f"sqlite:///{tmp_path}/no.db", "t"): "no SQLite file",
        (f"sqlite:///{file}", "items"): "no table 'items'.*item",
        ("postgresql://u:hidden@127.0.0.1:1/d", "t"): "does not answer",
    }
    for (url, table), message in cases.items():
        with pytest.raises(UnreadableSource, match=message) as caught:
            SqlTableReader(url, table)
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF8", "UTF-8-SIG"])
def test_the_mark_that_spreadsheets_write_is_no_part_of_a_name(
    encoding: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(codecs.BOM_UTF8 + "id,title\n1,杯\n".encode())
    with open_reader(path, encoding=encoding) as reader:
        assert reader.columns == ("id", "title")


@pytest.mark.parametrize("encoding", ["hex", "zlib", "a\x00b", "klingon", "idna", "undefined"])
def test_what_is_no_text_encoding_is_named(encoding: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", ROWS[:1])
    with (
        pytest.raises(UnreadableSource, match="There is no encoding"),
        open_reader(path, encoding=encoding),
    ):
        pass


def test_the_remedy_is_never_the_encoding_that_failed(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"id": "1", "title": "马克杯"}], "gb18030")
    with (
        pytest.raises(UnreadableSource, match="--encoding gb18030"),
        open_reader(path, encoding="utf-8"),
    ):
        pass


def test_a_parquet_column_twice_is_named(tmp_path: Path) -> None:
    columns = [pa.array(["1"]), pa.array(["2"]), pa.array(["3"])]
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_arrays(columns, names=["id", "a", "a"]), path)
    with pytest.raises(UnreadableSource, match="'a' more than once"), open_reader(path):
        pass
