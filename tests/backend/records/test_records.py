"""Versions of records by content, on both databases."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime
from random import Random

import pyarrow.parquet as pq
import pytest
from sqlalchemy import event

from backend.core.database import Database
from backend.core.exceptions import Conflict, NotFound
from backend.models import Record
from backend.records.content import content_hash
from backend.records.export import export
from backend.records.schemas import DatasetCreate, RecordCreate, UpsertCounts
from backend.records.service import RecordsService

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def make_dataset(database: Database, name: str = "shop") -> int:
    with database.transaction() as session:
        request = DatasetCreate(name=name, kind="product", fields=["title", "price"])
        dataset = RecordsService(session, clock).create_dataset(request, actor="test")
        return dataset.id


def record(external_id: str, title: str, kind: str = "product") -> RecordCreate:
    return RecordCreate(external_id, kind, {"title": title, "price": 1.5}, "test", NOW)


def upsert(database: Database, dataset_id: int, *records: RecordCreate) -> UpsertCounts:
    with database.transaction() as session:
        return RecordsService(session, clock).upsert(dataset_id, records)


def stored(database: Database, dataset_id: int) -> list[Record]:
    with database.reading() as session:
        return list(
            RecordsService(session, clock).page(dataset_id, limit=10_000, with_history=True)
        )


def current(database: Database, dataset_id: int) -> dict[str, str]:
    return {
        row.external_id: row.fields["title"]
        for row in stored(database, dataset_id)
        if row.is_current
    }


def test_the_hash_is_of_canonical_json() -> None:
    text = '{"fields":{"a":1,"b":"马克杯"},"kind":"product"}'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert content_hash("product", {"b": "马克杯", "a": 1}) == expected
    assert content_hash("review", {"b": "马克杯", "a": 1}) != expected
    assert content_hash("product", {"b": "马克杯", "a": "1"}) != expected


def test_new_unchanged_and_changed_rows(database: Database) -> None:
    dataset = make_dataset(database)
    assert upsert(database, dataset, record("1", "a"), record("2", "b")) == UpsertCounts(new=2)
    again = upsert(database, dataset, record("2", "c"), record("1", "a"), record("3", "d"))
    assert again == UpsertCounts(new=1, changed=1, unchanged=1)
    assert current(database, dataset) == {"1": "a", "2": "c", "3": "d"}
    assert len(stored(database, dataset)) == 4


def test_the_kind_is_content_too(database: Database) -> None:
    dataset = make_dataset(database)
    upsert(database, dataset, record("1", "a"))
    counts = upsert(database, dataset, record("1", "a", kind="review"))
    assert counts == UpsertCounts(changed=1)


def test_an_earlier_content_becomes_current_again(database: Database) -> None:
    """A, B, A: two rows, and the first of them is the current one."""
    dataset = make_dataset(database)
    for title in ("A", "B", "A"):
        upsert(database, dataset, record("1", title))
    rows = stored(database, dataset)
    assert [(row.fields["title"], row.is_current) for row in rows] == [("A", True), ("B", False)]


def test_any_history_ends_with_the_last_contents(database: Database) -> None:
    """Against a plain dictionary, on random histories in random order and sizes."""
    random = Random(7)
    dataset = make_dataset(database)
    expected: dict[str, str] = {}
    contents: set[tuple[str, str]] = set()
    for _ in range(25):
        ids = random.sample(range(12), random.randint(1, 12))
        chunk = [record(str(number), random.choice("abc")) for number in ids]
        before = dict(expected)
        expected.update({row.external_id: str(row.fields["title"]) for row in chunk})
        contents.update((row.external_id, str(row.fields["title"])) for row in chunk)
        counts = upsert(database, dataset, *chunk)
        assert current(database, dataset) == expected
        assert counts.new == len(expected) - len(before)
        assert counts.changed == sum(before[key] != expected[key] for key in before)
        assert counts.new + counts.changed + counts.unchanged == len(chunk)
    rows = stored(database, dataset)
    assert sorted((row.external_id, row.fields["title"]) for row in rows) == sorted(contents)


def test_more_rows_than_one_query_takes(database: Database) -> None:
    dataset = make_dataset(database)
    rows = [record(str(number), "a") for number in range(6_000)]
    assert upsert(database, dataset, *rows) == UpsertCounts(new=6_000)
    changed = [record(str(number), "b") for number in range(6_000)]
    assert upsert(database, dataset, *changed) == UpsertCounts(changed=6_000)
    assert upsert(database, dataset, *rows) == UpsertCounts(changed=6_000)
    assert set(current(database, dataset).values()) == {"a"}


def test_datasets_do_not_touch_each_other(database: Database) -> None:
    one, other = make_dataset(database, "one"), make_dataset(database, "other")
    upsert(database, one, record("1", "a"))
    assert upsert(database, other, record("1", "b")) == UpsertCounts(new=1)
    assert current(database, one) == {"1": "a"}
    with database.reading() as session:
        listed = RecordsService(session, clock).list_datasets()
    assert [(dataset.name, dataset.records) for dataset in listed] == [("one", 1), ("other", 1)]


def test_names_are_unique_and_known(database: Database) -> None:
    dataset = make_dataset(database)
    with pytest.raises(Conflict, match="shop"):
        make_dataset(database)
    with database.reading() as session:
        service = RecordsService(session, clock)
        assert service.find_dataset("shop").id == dataset
        assert service.find_dataset(str(dataset)).name == "shop"
        with pytest.raises(NotFound, match="nowhere"):
            service.find_dataset("nowhere")
        with pytest.raises(NotFound, match="'17'"):
            service.history(dataset, "17")
    with pytest.raises(NotFound):
        upsert(database, 4711, record("1", "a"))


def test_export_gives_every_record_in_each_format(database: Database) -> None:
    dataset = make_dataset(database)
    titles = {str(number): f'马克杯 "{number}",\n' for number in range(2_500)}
    upsert(database, dataset, *(record(key, title) for key, title in titles.items()))
    upsert(database, dataset, record("0", "new"))
    titles["0"] = "new"

    def exported(export_format: str, *, with_history: bool = False) -> bytes:
        with database.reading() as session:
            rows = RecordsService(session, clock).stream(dataset, with_history=with_history)
            return b"".join(export(rows, ["title", "price"], export_format))  # type: ignore[arg-type]

    text = io.StringIO(exported("csv").decode("utf-8-sig"), newline="")
    assert {row["external_id"]: row["title"] for row in csv.DictReader(text)} == titles

    lines = [json.loads(line) for line in exported("jsonl").splitlines()]
    assert {row["external_id"]: row["title"] for row in lines} == titles
    assert lines[0]["price"] == 1.5
    assert lines[0]["observed_at"] == "2026-11-01T12:00:00+00:00"

    table = pq.read_table(io.BytesIO(exported("parquet"))).to_pylist()
    assert {row["external_id"]: row["title"] for row in table} == titles
    assert len(exported("jsonl", with_history=True).splitlines()) == len(titles) + 1


def test_parquet_of_several_row_groups(sqlite_database: Database) -> None:
    rows = [
        Record(
            external_id=str(n),
            kind="k",
            fields={"a": str(n)},
            source="s",
            content_hash="h",
            dataset_id=1,
            created_at=NOW,
        )
        for n in range(25_000)
    ]
    data = b"".join(export(rows, ["a"], "parquet"))
    assert pq.read_table(io.BytesIO(data)).column("a").to_pylist() == [
        str(n) for n in range(25_000)
    ]


def test_records_by_id_whether_current_or_not(database: Database) -> None:
    dataset = make_dataset(database)
    upsert(database, dataset, *(record(str(n), "a") for n in range(6_000)))
    upsert(database, dataset, record("0", "b"))
    ids = [row.id for row in stored(database, dataset)]
    with database.reading() as session:
        found = RecordsService(session, clock).by_ids([*ids, 10**9])
        assert sorted(found) == ids
        assert found[ids[0]].fields["title"] == "a"
        assert RecordsService(session, clock).by_ids([]) == {}


def test_current_records_are_counted_by_kind(database: Database) -> None:
    dataset, other = make_dataset(database), make_dataset(database, "other")
    kinds = {"1": "ad", "2": "product", "3": "product", "4": "review"}
    upsert(database, dataset, *(record(key, "a", kind) for key, kind in kinds.items()))
    upsert(database, dataset, record("4", "a", "ad"))
    upsert(database, other, record("1", "a", "review"))
    with database.reading() as session:
        counts = RecordsService(session, clock).count_by_kind(dataset)
    assert list(counts.items()) == [("ad", 2), ("product", 2)]


@pytest.mark.parametrize("with_history", [False, True])
def test_a_page_is_read_without_sorting_the_rest(
    sqlite_database: Database, with_history: bool
) -> None:
    """Else the time to read a dataset grows with the square of its size."""
    dataset = make_dataset(sqlite_database)
    statements: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, values: object, *_rest: object) -> None:
        statements.append((statement, values))

    event.listen(sqlite_database.engine, "before_cursor_execute", note)
    with sqlite_database.reading() as session:
        RecordsService(session, clock).page(dataset, after=5, with_history=with_history)
        statement, values = statements[-1]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
        steps = [row[3] for row in plan]
    assert any("ix_record_page" in step for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)
