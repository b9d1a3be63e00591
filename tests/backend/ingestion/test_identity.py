"""Which record a row is, and that the same row is the same whatever wrote the file."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.core.database import Database
from backend.core.exceptions import UnreadableSource
from backend.ingestion.schemas import ImportReport, ImportRequest, Understood
from backend.ingestion.service import import_source
from backend.models import Dataset, Record
from backend.records.export import ExportFormat, export
from backend.records.schemas import RecordCreate
from backend.records.service import RecordsService
from tests.backend.ingestion.test_import import clock, rejects

NEG = """\
sku,title,delta,phone,note
R1,Scarf,-3,+86 10 1234,=SUM(A1)
R2,@home kit,5,12,- none -
R3,Cup,-0.5,,plain
-4,dash id,1,2,3
"""


def run(store: Database, path: Path, **options: Any) -> ImportReport:
    request = ImportRequest(dataset="shop", path=path, **{"id_column": "sku", **options})
    return import_source(store, request, clock)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """New, changed, unchanged, rejected."""
    return report.rows_new, report.rows_changed, report.rows_unchanged, report.rows_rejected


def understood(report: ImportReport) -> Understood:
    assert report.understood is not None
    return report.understood


def dataset(store: Database) -> Dataset:
    with store.reading() as session:
        return RecordsService(session, clock).find_dataset("shop")


def stored(store: Database) -> dict[str, dict[str, Any]]:
    with store.reading() as session:
        found: list[Record] = list(RecordsService(session, clock).stream(dataset(store).id))
    return {record.external_id: record.fields for record in found}


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def csv_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_floats_as_ids_are_the_whole_numbers_they_were(database: Database, tmp_path: Path) -> None:
    ids = [1001.0, 1002.0, None, 1004.5, 2.0**53]
    path = parquet(tmp_path / "a.parquet", sku=ids, name=["a", "b", "c", "d", "e"])
    report = run(database, path)
    assert counts(report) == (3, 0, 0, 2)
    assert sorted(stored(database)) == ["1001", "1002", "1004.5"]
    assert understood(report).ids_from_floats == 2
    assert "2 ids were floats" in " ".join(understood(report).sentences())
    reasons = [reject.reason for reject in rejects(database, report)]
    assert reasons[0] == "the external id is empty"
    assert "has lost digits" in reasons[1]
    whole = parquet(tmp_path / "b.parquet", sku=[1001, 1002], name=["a", "b"])
    assert counts(run(database, whole)) == (0, 0, 2, 0)
    text = csv_text(tmp_path / "c.csv", "sku,name\n1001,a\n1002,b\n")
    assert counts(run(database, text)) == (0, 0, 2, 0)


def test_index_columns_of_pandas_are_left_out_unless_asked_for(
    database: Database, tmp_path: Path
) -> None:
    rows: dict[str, Any] = {"sku": [1, 2], "name": ["a", "b"]}
    first = parquet(tmp_path / "a.parquet", **rows, __index_level_0__=[4, 7])
    report = run(database, first)
    assert understood(report).left_out == ["__index_level_0__"]
    assert "Left out: __index_level_0__" in " ".join(understood(report).sentences())
    assert dataset(database).fields == ["name"]
    other = parquet(tmp_path / "b.parquet", **rows, __index_level_0__=[0, 1])
    assert counts(run(database, other)) == (0, 0, 2, 0)
    asked = run(database, first, columns=["name", "__index_level_0__"])
    assert understood(asked).left_out == []
    assert dataset(database).fields == ["name", "__index_level_0__"]
    assert run(database, first, id_column="__index_level_0__").rows_new == 2


def test_the_same_table_in_another_format_is_unchanged(database: Database, tmp_path: Path) -> None:
    table = "sku,price,code,sold,seen\n1,2.50,007,True,2026-01-31 10:00:00\n2,3,1E5,False,\n"
    path = csv_text(tmp_path / "a.csv", table)
    assert counts(run(database, path)) == (2, 0, 0, 0)
    before = stored(database)
    moments = pa.array([1_769_853_600_000_000, None], pa.timestamp("us"))
    typed = parquet(
        tmp_path / "b.parquet",
        sku=[1, 2],
        price=[2.5, 3.0],
        code=["007", "1E5"],
        sold=[True, False],
        seen=moments,
    )
    report = run(database, typed)
    assert counts(report) == (0, 0, 2, 0)
    types = {"price": "number", "sold": "boolean", "seen": "time"}
    assert understood(report).types == {"sku": "number", **types}
    assert dataset(database).types == types
    assert stored(database) == before
    again = csv_text(tmp_path / "c.csv", table.replace("3,1E5", "3.0,1E5").replace(" 10:", "T10:"))
    assert counts(run(database, again)) == (0, 0, 2, 0)
    eaten = csv_text(tmp_path / "d.csv", table.replace("007", "7").replace("1E5", "100000"))
    assert counts(run(database, eaten)) == (0, 2, 0, 0)
    assert counts(run(database, typed)) == (0, 2, 0, 0)
    assert stored(database) == before


def test_records_of_an_earlier_version_stay_what_they_are(
    database: Database, tmp_path: Path
) -> None:
    """Ids written as floats, index columns as fields, and no types, as earlier imports left."""
    with database.transaction() as session:
        records = RecordsService(session, clock)
        shop = records.find_or_create_dataset("shop", kind="record", fields=["n"], actor="test")
        old = [
            RecordCreate(
                external_id=f"{number}.0",
                kind="record",
                fields={"n": 12.0, "s": 0.10000000149011612, "__index_level_0__": number},
                source="old.parquet",
            )
            for number in (1, 2)
        ]
        records.upsert(shop.id, old)
    before = stored(database)
    path = parquet(
        tmp_path / "a.parquet",
        sku=[1.0, 2.0, 3.0],
        n=[12, 12, 12],
        s=pa.array([0.1] * 3, pa.float32()),
        __index_level_0__=[7, 8, 9],
    )
    report = run(database, path)
    assert counts(report) == (1, 0, 2, 0)
    assert (understood(report).ids_from_floats, understood(report).ids_as_before) == (3, 2)
    assert sorted(stored(database)) == ["1.0", "2.0", "3"]
    assert {name: stored(database)[name] for name in before} == before
    assert counts(run(database, path)) == (0, 0, 3, 0)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_export_comes_back_as_it_was(
    form: ExportFormat, database: Database, tmp_path: Path
) -> None:
    run(database, csv_text(tmp_path / "neg.csv", NEG), kind_column="title", columns=["note", "sku"])
    run(database, csv_text(tmp_path / "neg.csv", NEG))
    before = stored(database)
    path = tmp_path / f"out.{form}"
    with database.reading() as session:
        records = RecordsService(session, clock).stream(dataset(database).id, with_history=True)
        path.write_bytes(b"".join(export(records, dataset(database).fields, form)))
    if form == "csv":
        text = path.read_text(encoding="utf-8-sig")
        for cell in (",-3,", ",'+86 10 1234", ",'=SUM(A1)", ",'- none -", ",'@home kit,", "\n-4,"):
            assert cell in text
    report = run(database, path, id_column=None)
    assert counts(report) == (0, 0, 4, 4)
    assert {reject.field for reject in rejects(database, report)} == {"is_current"}
    assert understood(report).is_own_export
    assert understood(report).left_out == ["source", "is_current", "content_hash"]
    assert understood(report).restored_cells == (7 if form == "csv" else 0)
    assert stored(database) == before


def test_fields_that_only_rejected_rows_brought_do_not_stay(
    database: Database, tmp_path: Path
) -> None:
    run(database, csv_text(tmp_path / "a.csv", "sku,name\n1,a\n"))
    wrong = csv_text(tmp_path / "b.csv", "sku,wrong name,other\n1\n2\n")
    assert counts(run(database, wrong)) == (0, 0, 0, 2)
    assert dataset(database).fields == ["name"]
    empty = csv_text(tmp_path / "c.csv", "sku,name,brand\n")
    run(database, empty)
    assert dataset(database).fields == ["name", "brand"]


def test_how_a_text_file_was_read_is_told(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("sep=;\nsku;名称\n1;杯\n".encode("gb18030"))
    with pytest.raises(UnreadableSource, match=r"Try --encoding gb18030: .*名称"):
        run(database, path)
    report = run(database, path, encoding="gb18030")
    assert (understood(report).encoding, understood(report).delimiter) == ("gb18030", ";")
    assert understood(report).sentences() == ["Read as gb18030, cells separated by ';'."]
    assert stored(database) == {"1": {"名称": "杯"}}


def test_a_time_out_of_range_is_one_reject(database: Database, tmp_path: Path) -> None:
    moments = pa.array([-62_135_596_800_000_001, 0, None], pa.timestamp("us"))
    report = run(database, parquet(tmp_path / "a.parquet", sku=["1", "2", "3"], old=moments))
    assert counts(report) == (2, 0, 0, 1)
    (reject,) = rejects(database, report)
    assert (reject.line, reject.field, reject.value) == (1, "old", "0000-12-31 23:59:59.999999")
