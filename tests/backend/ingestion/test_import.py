"""The import on both databases: counts, rejects, repeats, strictness, bad sources."""

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from backend.core.database import Database
from backend.core.exceptions import InvalidInput, JobCancelled, UnreadableSource
from backend.ingestion import service
from backend.ingestion.reports import ImportsService
from backend.ingestion.schemas import ImportReport, ImportRequest, Reject
from backend.ingestion.service import import_source
from backend.models import Record
from backend.records import repository
from backend.records.service import RecordsService

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HEADER = ("sku", "kind", "title", "seen")


def clock() -> datetime:
    return NOW


def write(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def run(database: Database, path: Path, **options: Any) -> ImportReport:
    options = {"dataset": "shop", "id_column": "sku", "kind_column": "kind", **options}
    return import_source(database, ImportRequest(path=path, **options), clock)


def rejects(database: Database, report: ImportReport) -> list[Reject]:
    with database.reading() as session:
        return list(ImportsService(session).rejects(report.id))


def last_report(database: Database) -> ImportReport:
    with database.reading() as session:
        return ImportsService(session).list_recent()[0]


def records(database: Database, name: str = "shop") -> list[Record]:
    with database.reading() as session:
        records_service = RecordsService(session, clock)
        dataset = records_service.find_dataset(name)
        return list(records_service.page(dataset.id, limit=20_000, with_history=True))


def test_columns_become_the_parts_of_a_record(database: Database, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        [["007", "product", "马克杯", "2026-01-31T08:00:00+08:00"], [" 8 ", "", "", "2026/02/01"]],
    )
    report = run(database, path, kind="ad", observed_at_column="seen", renames={"title": "name"})
    assert report.status == "done"
    assert (report.rows_read, report.rows_new) == (2, 2)
    one, two = records(database)
    assert (one.external_id, one.kind, one.fields) == ("007", "product", {"name": "马克杯"})
    assert one.observed_at == datetime(2026, 1, 31, tzinfo=UTC)
    assert (two.external_id, two.kind, two.fields) == ("8", "ad", {"name": None})
    assert two.observed_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert one.source == "a.csv"
    assert one.import_id == report.id
    with database.reading() as session:
        assert RecordsService(session, clock).find_dataset("shop").fields == ["name"]


def test_chosen_columns_only_and_the_line_as_id(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [["1", "product", "a", ""], ["1", "product", "b", ""]])
    run(database, path, id_column=None, kind_column=None, columns=["title", "sku"])
    assert [(row.external_id, row.kind, row.fields) for row in records(database)] == [
        ("2", "record", {"title": "a", "sku": "1"}),
        ("3", "record", {"title": "b", "sku": "1"}),
    ]


def test_every_rejected_row_is_listed_and_the_rest_is_stored(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"sku,kind,title,seen\n"
        b"1,product,a,2026-01-01\n"
        b",product,b,2026-01-01\n"
        b"3,product,c\n"
        b"4,product,d,yesterday\n"
        b"1,product,e,2026-01-01\n"
        + "6,product,杯,2026-01-01\n7,product,杯,2026-01-01\n".encode()
        + b"8,product,\xff,2026-01-01\n"
        b"9,product,x\x00y,2026-01-01\n"
        + f"10,{'k' * 51},z,2026-01-01\n".encode()
        + f"{'i' * 501},product,z,2026-01-01\n".encode()
        + b"4,product,good,2026-01-01\n"
    )
    report = run(database, path, observed_at_column="seen")
    assert (report.status, report.rows_read) == ("done", 12)
    assert (report.rows_new, report.rows_rejected) == (4, 8)
    assert sorted(row.external_id for row in records(database)) == ["1", "4", "6", "7"]
    found = [(reject.line, reject.field, reject.value) for reject in rejects(database, report)]
    assert found[:5] == [
        (3, "sku", None),
        (4, None, "3,product,c"),
        (5, "seen", "yesterday"),
        (6, "sku", "1"),
        (9, "title", "\\udcff"),
    ]
    assert [line for line, _, _ in found[5:]] == [10, 11, 12]
    reasons = [reject.reason for reject in rejects(database, report)]
    assert reasons[0] == "the external id is empty"
    assert reasons[1] == "3 cells, but the header has 4"
    assert reasons[3] == "the external id is on line 2 already"
    assert "encoding" in reasons[4]
    assert "NUL" in reasons[5]


def test_importing_again_changes_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_CHUNK", 7)
    path = write(tmp_path / "a.csv", [[n, "product", f"t{n}", ""] for n in range(50)])
    first = run(database, path)
    before = records(database)
    second = run(database, path)
    assert (first.rows_new, second.rows_new, second.rows_unchanged) == (50, 0, 50)
    assert records(database) == before


def test_a_changed_and_changed_back_file(database: Database, tmp_path: Path) -> None:
    a = write(tmp_path / "a.csv", [[1, "product", "A", ""], [2, "product", "same", ""]])
    b = write(tmp_path / "b.csv", [[1, "product", "B", ""], [2, "product", "same", ""]])
    reports = [run(database, path) for path in (a, b, a)]
    counts = [(r.rows_new, r.rows_changed, r.rows_unchanged) for r in reports]
    assert counts == [(2, 0, 0), (0, 1, 1), (0, 1, 1)]
    titles = [(row.fields["title"], row.is_current) for row in records(database)]
    assert titles == [("A", True), ("same", True), ("B", False)]


def test_duplicates_far_apart_name_the_first_line(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_CHUNK", 5)
    rows = [[n, "product", "t", ""] for n in range(30)]
    path = write(tmp_path / "a.csv", [*rows, [3, "product", "other", ""]])
    report = run(database, path)
    (reject,) = rejects(database, report)
    assert (reject.line, reject.field, reject.value) == (32, "sku", "3")
    assert reject.reason == "the external id is on line 5 already"
    assert {row.fields["title"] for row in records(database)} == {"t"}


def test_strict_keeps_nothing_and_lists_every_rejected_row(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_CHUNK", 5)
    good = [[n, "product", "t", ""] for n in range(20)]
    path = write(tmp_path / "a.csv", [*good, ["", "product", "x", ""], [3, "product", "y", ""]])
    report = run(database, path, strict=True)
    assert report.status == "failed"
    assert report.error is not None
    assert "2 rows are refused" in report.error
    assert (report.rows_read, report.rows_new, report.rows_rejected) == (22, 0, 2)
    assert [reject.line for reject in rejects(database, report)] == [22, 23]
    assert records(database) == []

    report = run(database, write(tmp_path / "b.csv", good), strict=True)
    assert (report.status, report.rows_read, report.rows_new) == ("done", 20, 20)


def test_a_missing_column_is_named_with_those_there(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [["1", "product", "a", ""]])
    for option, value in {
        "id_column": "id",
        "kind_column": "type",
        "observed_at_column": "at",
        "renames": {"name": "title"},
        "columns": ["title", "price"],
    }.items():
        with pytest.raises(InvalidInput, match="it has: sku, kind, title, seen") as caught:
            run(database, path, **{option: value})
        assert caught.value.field == option
        assert "--" in str(caught.value.remedy)
    with pytest.raises(InvalidInput, match="Two columns would become the field 'seen'"):
        run(database, path, renames={"title": "seen"})
    with database.reading() as session:
        assert RecordsService(session, clock).list_datasets() == []


def test_a_source_that_breaks_midway_fails_but_keeps_what_was_stored(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_CHUNK", 5)
    path = write(tmp_path / "a.csv", [[n, "product", "t", ""] for n in range(20)])

    def broken(self: object) -> Any:
        for number, row in enumerate(rows_before(self)):
            if number == 12:
                raise UnreadableSource("the disk is gone")
            yield row

    from backend.ingestion.readers.csv_file import CsvReader

    rows_before = CsvReader.rows
    with monkeypatch.context() as patched:
        patched.setattr(CsvReader, "rows", broken)
        with pytest.raises(UnreadableSource):
            run(database, path)
    report = last_report(database)
    assert (report.status, report.error, report.rows_new) == ("failed", "the disk is gone", 10)
    report = run(database, path)
    assert (report.status, report.rows_new, report.rows_unchanged) == ("done", 10, 10)


def test_it_stops_when_asked_and_goes_on_later(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_CHUNK", 5)
    path = write(tmp_path / "a.csv", [[n, "product", "t", ""] for n in range(20)])
    seen: list[float] = []
    request = ImportRequest(dataset="shop", path=path, id_column="sku")
    with pytest.raises(JobCancelled, match="after 10 rows"):
        import_source(
            database,
            request,
            clock,
            progress=lambda fraction, _message: seen.append(fraction),
            should_stop=lambda: len(seen) == 2,
        )
    assert last_report(database).status == "failed"
    assert len(records(database)) == 10
    assert import_source(database, request, clock).rows_unchanged == 10


def test_a_table_of_another_database(database: Database, sqlite_url: str, tmp_path: Path) -> None:
    """The source here is a store of our own, with its typed columns."""
    source = Database(sqlite_url.replace("assay.sqlite3", "source.sqlite3"))
    with source.transaction() as session:
        connection = session.connection()
        connection.exec_driver_sql(
            "create table item (nr integer primary key, name text, price numeric, born date)"
        )
        connection.exec_driver_sql(
            "insert into item values (2, 'b', 2.50, null), (1, 'a', 1.25, '2026-01-31')"
        )
    url = source.url.render_as_string(hide_password=False)
    request = ImportRequest(dataset="shop", url=url, table="item", id_column="nr")
    report = import_source(database, request, clock)
    source.dispose()
    assert (report.format, report.source, report.rows_new) == ("sql", "table item", 2)
    assert [(row.external_id, row.fields) for row in records(database)] == [
        ("1", {"name": "a", "price": 1.25, "born": "2026-01-31"}),
        ("2", {"name": "b", "price": 2.5, "born": None}),
    ]


def test_a_request_names_one_source() -> None:
    for options in ({}, {"path": "a.csv", "url": "sqlite://"}, {"url": "sqlite://"}):
        with pytest.raises(InvalidInput, match="either a file, or"):
            ImportRequest(dataset="shop", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_long_run_of_malformed_lines_is_kept_in_chunks_too(
    sqlite_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    strict: bool,
) -> None:
    """No good row comes between them, so the reader alone must not pile them up."""
    monkeypatch.setattr(service, "ROWS_PER_CHUNK", 10)
    sizes: list[int] = []
    save = service._RecordImport._save

    def measured(self: Any, session: Any, counts: Any, listed: Sequence[Reject], read: int) -> None:
        sizes.append(len(listed))
        save(self, session, counts, listed, read)

    monkeypatch.setattr(service._RecordImport, "_save", measured)
    good, bad = ("sku,t\n1,a\n", "1,2,3\n") if name == "a.csv" else ('{"sku": "1"}\n', "no\n")
    (tmp_path / name).write_text(good + bad * 500)
    report = run(sqlite_database, tmp_path / name, kind_column=None, strict=strict)
    assert report.rows_rejected == 500
    assert report.rows_read == 501
    assert report.rows_new == (0 if strict else 1)
    assert max(sizes) <= 10
    lines = [reject.line for reject in rejects(sqlite_database, report)]
    first = 3 if name == "a.csv" else 2
    assert lines == list(range(first, first + 500))


def test_it_stops_when_asked_among_malformed_lines(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_CHUNK", 10)
    path = tmp_path / "a.csv"
    path.write_text("sku,t\n" + "1,2,3\n" * 500)
    request = ImportRequest(dataset="shop", path=path, id_column="sku")
    with pytest.raises(JobCancelled, match="after 10 rows"):
        import_source(sqlite_database, request, clock, should_stop=lambda: True)
    assert last_report(sqlite_database).rows_rejected == 10


def test_a_refused_strict_import_leaves_the_fields_alone(
    database: Database, tmp_path: Path
) -> None:
    run(database, write(tmp_path / "a.csv", [[1, "product", "t", ""]]))
    header = ("sku", "kind", "price")
    bad = write(tmp_path / "b.csv", [[1, "product", "2"], ["", "product", "3"]], header)
    assert run(database, bad, strict=True).status == "failed"

    def fields() -> list[str]:
        with database.reading() as session:
            return RecordsService(session, clock).find_dataset("shop").fields

    assert fields() == ["title", "seen"]
    good = write(tmp_path / "c.csv", [[1, "product", "2"]], header)
    assert run(database, good, strict=True).status == "done"
    assert fields() == ["title", "seen", "price"]


def test_a_source_that_changes_during_its_strict_import_is_named(
    database: Database, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [[n, "product", "t", ""] for n in range(3)])

    def spoil(fraction: float, _message: str) -> None:
        if fraction == 0.5:
            write(path, [[n, "product", "t", ""] for n in (0, "", 2)])

    request = ImportRequest(dataset="shop", path=path, id_column="sku", strict=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(service, "ROWS_PER_CHUNK", 3)
        with pytest.raises(UnreadableSource, match="changed during its strict import: line 3"):
            import_source(database, request, clock, progress=spoil)
    assert records(database) == []
    assert last_report(database).status == "failed"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"sku,t\xff\n" + "".join(f"{n},杯\n" for n in range(5)).encode()),
        ("a.csv", b"sku,t\x00x\n1,a\n"),
        ("a.jsonl", b'{"sku": "1", "a\\ud800": "x"}\n'),
        ("a.jsonl", b'{"sku": "1", "a\\u0000": "x"}\n'),
    ],
)
def test_a_column_name_that_no_store_can_keep(
    database: Database, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableSource, match="column name that no store can keep"):
        run(database, tmp_path / name, kind_column=None)
    with database.reading() as session:
        assert RecordsService(session, clock).list_datasets() == []


def test_two_imports_may_create_the_same_dataset_at_once(
    database: Database, tmp_path: Path
) -> None:
    """One of them waits inside its first transaction until the other is in its own."""
    paths = [
        write(tmp_path / f"{name}.csv", [[f"{name}{n}", "product", "t", ""] for n in range(20)])
        for name in "ab"
    ]
    both_looked = Barrier(2)
    find = repository.find_dataset

    def find_then_wait(*arguments: Any) -> Any:
        found = find(*arguments)
        with suppress(BrokenBarrierError):  # SQLite lets one writer in at a time
            both_looked.wait(timeout=1)
        return found

    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(2) as pool:
        patched.setattr(repository, "find_dataset", find_then_wait)
        reports = list(pool.map(lambda path: run(database, path), paths))
    assert [(report.status, report.rows_new) for report in reports] == [("done", 20)] * 2
    assert len({report.dataset_id for report in reports}) == 1
    assert len(records(database)) == 40
