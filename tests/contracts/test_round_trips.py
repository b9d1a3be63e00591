"""Any table comes back from every format as it went in, and means the same in each."""

import itertools
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from backend.core.database import Database
from backend.core.tabular import csv_pieces
from backend.core.tabular_cells import original_text, safe_text
from backend.ingestion.readers import open_reader
from backend.ingestion.schemas import ImportReport, ImportRequest
from backend.ingestion.service import import_source
from backend.records.export import ExportFormat, export
from backend.records.export_columns import OWN_COLUMNS
from backend.records.service import RecordsService
from benchmarks.table_files import FORMATS, ID, KINDS, Format, Kind, TypedTable

MOST = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NUMBERED = itertools.count()
EXPORTS: tuple[ExportFormat, ...] = ("csv", "jsonl", "parquet")
ODD = ("=1+1", "+86 10 1234", "-1", "- none -", "@home", "007", "1E5", "1.10", "True", "NULL", "＝")
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXTS = (st.text(CHARACTERS, max_size=12) | st.sampled_from(ODD)).filter(
    lambda text: original_text(text) == text  # else it is taken for the text that it protects
)
NAMES = (
    (
        st.text(CHARACTERS, min_size=1, max_size=8)
        | st.sampled_from(["=a", "a,b", 'q"', "x|y|z", "-"])
    )
    .map(str.strip)
    .filter(lambda name: name and name not in OWN_COLUMNS and original_text(name) == name)
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "truth": st.booleans(),
    "day": st.dates(),
    "moment": st.datetimes(),
}


@st.composite
def tables(draw: st.DrawFn, values: dict[Kind, st.SearchStrategy[Any]] = VALUES) -> TypedTable:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
    kinds = {name: draw(st.sampled_from(KINDS)) for name in names if name.casefold() != ID}
    id_kind: Kind = draw(st.sampled_from(["text", "whole"]))
    texts = TEXTS.map(str.strip).filter(bool)
    ids = draw(
        st.lists(
            texts if id_kind == "text" else values["whole"], min_size=1, max_size=5, unique=True
        )
    )
    rows = [
        [external_id, *(draw(st.none() | values[kind]) for kind in kinds.values())]
        for external_id in ids
    ]
    return TypedTable({ID: id_kind, **kinds}, rows)


def clock() -> datetime:
    return datetime(2026, 12, 1, tzinfo=UTC)


def run(store: Database, request: ImportRequest, name: str, **options: Any) -> ImportReport:
    return import_source(store, request.model_copy(update={"dataset": name, **options}), clock)


def is_unchanged(report: ImportReport, rows: int) -> bool:
    found = (report.rows_unchanged, report.rows_changed, report.rows_new, report.rows_rejected)
    assert found == (rows, 0, 0, 0)
    return True


def check_stored(store: Database, name: str, table: TypedTable) -> None:
    """The dataset's records say what the table says."""
    with store.reading() as session:
        records = RecordsService(session, clock)
        stored = {row.external_id: row for row in records.stream(records.find_dataset(name).id)}
    assert len(stored) == len(table.rows)
    for row in table.rows:
        values = dict(zip(table.columns, row, strict=True))
        fields = stored[str(values.pop(ID))].fields
        assert set(fields) == set(values)
        for column, value in values.items():
            assert table.means(column, value, fields[column]), (column, value, fields[column])


@pytest.mark.parametrize("first", FORMATS)
@MOST
@given(table=tables())
def test_a_table_comes_back_and_is_the_same_in_every_format(
    sqlite_database: Database, first: Format, table: TypedTable
) -> None:
    name, rows = f"table {next(NUMBERED)}", len(table.rows)
    with tempfile.TemporaryDirectory() as folder:
        request = table.write(first, Path(folder))
        assert run(sqlite_database, request, name).rows_new == rows
        check_stored(sqlite_database, name, table)
        for other in (first, *FORMATS):
            assert is_unchanged(
                run(sqlite_database, table.write(other, Path(folder)), name), rows
            ), other
        check_stored(sqlite_database, name, table)


@pytest.mark.parametrize("form", EXPORTS)
@MOST
@given(table=tables(), first=st.sampled_from(FORMATS))
def test_an_export_comes_back(
    sqlite_database: Database, form: ExportFormat, first: Format, table: TypedTable
) -> None:
    name, rows = f"table {next(NUMBERED)}", len(table.rows)
    with tempfile.TemporaryDirectory() as folder:
        run(sqlite_database, table.write(first, Path(folder)), name)
        path = Path(folder) / f"export.{form}"
        with sqlite_database.reading() as session:
            records = RecordsService(session, clock)
            dataset = records.find_dataset(name)
            pieces = export(records.stream(dataset.id), dataset.fields, form)
            path.write_bytes(b"".join(pieces))
        exported = ImportRequest(dataset=name, path=path)
        assert is_unchanged(run(sqlite_database, exported, name), rows)
        run(sqlite_database, exported, f"{name} again")
    check_stored(sqlite_database, f"{name} again", table)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=TEXTS | st.text("'=+-@1.\t\r\n＝＋－＠ ae", max_size=6))
def test_protection_is_undone_exactly(text: str) -> None:
    cell = safe_text(text)
    assert original_text(cell) == text
    if cell[:1] in tuple("=+-@\t\r\n＝＋－＠"):
        assert float(cell) == float(text)
        assert cell == text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts=st.lists(st.text("'=+-@1.\t\r\n＝ \",;ae", min_size=1, max_size=6), min_size=1))
def test_what_csv_pieces_write_the_reader_reads(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(b"".join(csv_pieces(["n", "text"], enumerate(texts))))
        with open_reader(path) as reader:
            rows = list(reader.rows())
    assert [row["text"] for _, row in rows] == texts


BROKEN = {
    "open quote": b'x,"open,y',
    "garbage behind a quote": b'x,"a"b,y',
    "one cell too many": b"x,y,z,z",
    "no text": b"x,\xff,y",
}


@pytest.mark.parametrize("fault", BROKEN)
@MOST
@given(numbers=st.lists(st.integers(), min_size=1, max_size=30), place=st.integers(0, 30))
def test_a_broken_line_of_csv_costs_its_row(
    sqlite_database: Database, fault: str, numbers: list[int], place: int
) -> None:
    assume(fault != "no text" or len(numbers) > 2)  # else the encoding is thought wrong
    lines = [f"{row},{number},陶瓷" for row, number in enumerate(numbers)]
    encoded = [b"id,a,b", *(line.encode() for line in lines)]
    encoded.insert(1 + place % (len(lines) + 1), BROKEN[fault])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(b"\n".join([*encoded, b""]))
        request = ImportRequest(dataset="table", path=path, id_column=ID)
        report = run(sqlite_database, request, f"table {next(NUMBERED)}")
    assert (report.rows_new, report.rows_rejected) == (len(numbers), 1)


@MOST
@given(cells=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_a_time_that_nobody_can_have_costs_its_row(
    sqlite_database: Database, cells: list[int]
) -> None:
    first, last = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999
    good = sum(first <= cell <= last for cell in cells)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        ids = [str(number) for number in range(len(cells))]
        pq.write_table(pa.table({"id": ids, "t": pa.array(cells, pa.timestamp("us"))}), path)
        request = ImportRequest(dataset="table", path=path, id_column=ID)
        report = run(sqlite_database, request, f"table {next(NUMBERED)}")
    assert (report.rows_new, report.rows_rejected) == (good, len(cells) - good)


ANY_CELL = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(CHARACTERS)


@MOST
@given(
    declared=st.sampled_from(["DATE", "DATETIME", "TIME", "DECIMAL(10,2)", "BOOLEAN", "JSON"]),
    cells=st.lists(ANY_CELL | st.sampled_from(["2026-01-31", "yes", 2, '{"a": 1}']), min_size=1),
)
def test_any_cell_in_any_column_of_sqlite_is_kept_or_costs_its_row(
    sqlite_database: Database, declared: str, cells: list[Any]
) -> None:
    name = f"table {next(NUMBERED)}"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a.db"
        connection = sqlite3.connect(path)
        connection.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, cell {declared})")
        connection.executemany("INSERT INTO t VALUES (?, ?)", enumerate(cells))
        kept = dict(connection.execute("SELECT id, cell FROM t").fetchall())
        connection.commit()
        connection.close()
        url = f"sqlite:///{path}"
        request = ImportRequest(dataset="table", url=url, table="t", id_column=ID)
        report = run(sqlite_database, request, name)
    assert report.rows_new + report.rows_rejected == len(cells)
    with sqlite_database.reading() as session:
        records = RecordsService(session, clock)
        for row in records.stream(records.find_dataset(name).id):
            assert says(declared, kept[int(row.external_id)], row.fields["cell"])


def says(declared: str, cell: Any, stored: Any) -> bool:
    """True if nothing of the cell is lost or made up."""
    if isinstance(stored, bool):
        return declared == "JSON" or (type(cell) is int and int(stored) == cell)
    if declared == "JSON":
        return True  # JSON text in the one way that we write it
    if isinstance(cell, str):
        return isinstance(stored, str) and stored.replace("T", " ") == cell.replace("T", " ")
    return bool(stored == cell)
