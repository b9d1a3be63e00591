"""Columns against pandas, and one history of imports against its end alone."""

from random import Random

import numpy as np
import pandas as pd
import pytest

from backend.core.exceptions import InvalidInput
from backend.core.plain_numbers import is_plain_number
from backend.record_index.columns import RecordColumns
from backend.record_index.value_spool import VALUE_CHARACTERS
from backend.record_index.values import value_text
from backend.records.service import RecordsService
from tests.backend.record_index.conftest import FIELDS, Shop, record, some_record


def columns_of(shop: Shop) -> RecordColumns:
    columns = shop.index.columns(shop.dataset_id)
    assert columns is not None
    return columns


def frame_of(shop: Shop) -> pd.DataFrame:
    rows = {
        record_id: {"external_id": external_id} | {f: value_text(fields.get(f)) for f in FIELDS}
        for record_id, (external_id, fields) in sorted(shop.current().items())
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["external_id", *FIELDS])


def test_columns_are_what_pandas_says(shop: Shop) -> None:
    random = Random(11)
    shop.upsert(*(some_record(random, f"{number}") for number in random.sample(range(900), 400)))
    shop.run()
    columns, frame = columns_of(shop), frame_of(shop)
    assert columns.ids.tolist() == frame.index.tolist()
    assert [columns.external_ids.value(row) for row in range(400)] == frame.external_id.tolist()
    assert set(columns.kinds.counts().top) == {("product", 400)}
    prices = pd.to_numeric(frame.price)
    assert columns.column("price").form == "number"
    np.testing.assert_array_equal(columns.column("price").numbers(), prices)
    mask = np.array([random.random() < 0.5 for _ in range(400)])
    for field in FIELDS:
        values = prices if field == "price" else frame[field]
        np.testing.assert_array_equal(columns.without_value(field), values.isna())
        for value in [*values.dropna().unique()[:20], "nothing", -5]:
            as_is = str(value) if field != "price" else pd.to_numeric(value, errors="coerce")
            np.testing.assert_array_equal(columns.equal(field, value), values == as_is)
        some = random.sample(sorted(values.dropna().unique()), 2)
        np.testing.assert_array_equal(columns.one_of(field, [*some, "?"]), values.isin(some))
        low, high = sorted(some)
        np.testing.assert_array_equal(columns.between(field, low, high), values.between(low, high))
        np.testing.assert_array_equal(columns.between(field, low, None), values >= low)
        np.testing.assert_array_equal(columns.between(field, None, high), values <= high)
        order = values.reset_index(drop=True).sort_values(kind="stable")
        assert columns.order(field).tolist() == order.index.tolist()
        there = int(values.notna().sum())
        backwards = columns.order(field, descending=True).tolist()
        assert backwards == order.index.tolist()[:there][::-1] + order.index.tolist()[there:]
        for chosen in (None, mask):
            counted = values if chosen is None else values[chosen]
            found = columns.counts(field, chosen, top=4)
            numbers = counted.value_counts()
            expected = sorted(numbers.items(), key=lambda each: (-each[1], each[0]))[:4]
            assert found.top == expected
            assert (found.distinct, found.missing) == (len(numbers), counted.isna().sum())
    edges, counts = columns.histogram("price", mask, bins=5)
    expected_counts, expected_edges = np.histogram(prices[mask].dropna(), bins=5)
    np.testing.assert_array_equal(counts, expected_counts)
    np.testing.assert_allclose(edges, expected_edges)


def same(one: RecordColumns, other: RecordColumns) -> bool:
    assert one.fields == other.fields
    for name in ("ids", "import_ids", "created_at"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    every = [(one.column(field), other.column(field)) for field in one.fields]
    for mine, its in [*every, (one.kinds, other.kinds), (one.external_ids, other.external_ids)]:
        assert mine.form == its.form
        np.testing.assert_array_equal(mine.codes, its.codes)
        np.testing.assert_array_equal(mine.order(), its.order())
        if mine.form == "text":
            assert [mine.value(row) for row in range(len(one))] == [
                its.value(row) for row in range(len(one))
            ]
    return True


@pytest.mark.parametrize("seed", range(3))
def test_step_by_step_is_as_at_once(shop: Shop, seed: int) -> None:
    """New, changed, earlier content again, withdrawn, and content that changes in its row."""
    random = Random(seed)
    known = {f"{number}": [some_record(random, f"{number}")] for number in range(60)}
    for _ in range(4):
        changed = []
        for external_id in random.sample(sorted(known), 25):
            if random.random() < 0.5:
                known[external_id].append(some_record(random, external_id))
            changed.append(random.choice(known[external_id]))
        shop.upsert(*changed)
        with shop.services.database.transaction() as session:
            service = RecordsService(session, shop.services.clock)
            gone = random.sample(sorted(shop.current()), 3)
            service.make_current(shop.dataset_id, [], instead_of=gone)
            shop.index.request(session, shop.dataset_id)
        assert not shop.index.state(shop.dataset_id).is_current
        shop.run()
        assert shop.index.state(shop.dataset_id).is_current
    assert shop.search("") == sorted(shop.current())
    stepwise, words = columns_of(shop), shop.words()
    shop.forget_index()
    shop.run()
    assert same(stepwise, columns_of(shop))
    assert shop.words() == words


def test_forms_of_columns(sqlite_shop: Shop) -> None:
    values: dict[str, list[object]] = {
        "number": [1, "2.5", "-3e2", None],
        "code": ["007", 1, "2", None],
        "huge": ["12345678901234567", "12345678901234568", "1", None],
        "precise": ["0.1234567890123456", 0.30000000000000004, "1", None],
        "long": ["b" * 500, "a" * (VALUE_CHARACTERS + 1), "c", None],
        "truth": [True, False, "true", None],
        "empty": [None, "", None, ""],
    }
    with sqlite_shop.services.database.transaction() as session:
        service = RecordsService(session, sqlite_shop.services.clock)
        service.add_fields(sqlite_shop.dataset_id, [*values, "typed"], {"typed": "number"})
    values["typed"] = [1, "n/a", 2**60, None]
    sqlite_shop.upsert(
        *(
            record(str(row), **{name: each[row] for name, each in values.items()})
            for row in range(4)
        )
    )
    sqlite_shop.run()
    columns = columns_of(sqlite_shop)
    forms = {name: columns.column(name).form for name in values}
    assert forms == {
        **dict.fromkeys(("number", "precise", "typed"), "number"),
        **dict.fromkeys(("code", "huge", "truth", "empty"), "text"),
        "long": "long",
    }
    assert is_plain_number("-3e2")
    assert columns.between("number", -300, "1.0").tolist() == [True, False, True, False]
    assert columns.equal("huge", "12345678901234567").tolist() == [True, False, False, False]
    assert columns.order("long").tolist() == [1, 0, 2, 3]
    assert columns.without_value("long").tolist() == [False, False, False, True]
    assert columns.counts("truth").top == [("true", 2), ("false", 1)]
    assert columns.without_value("typed").tolist() == [False, False, False, True]
    assert columns.equal("typed", "n/a").tolist() == [False] * 4
    assert columns.without_value("empty").all()
    assert columns.histogram("code")[1].tolist() == []
    for field in ("nothing", "long"):
        with pytest.raises(InvalidInput):
            columns.equal(field, "a")


def test_an_empty_dataset_has_empty_columns(sqlite_shop: Shop) -> None:
    sqlite_shop.upsert()
    sqlite_shop.run()
    columns = columns_of(sqlite_shop)
    assert len(columns) == len(columns.order("title")) == len(columns.equal("price", 1)) == 0
    assert columns.counts("title").top == []
    assert not columns.mask(np.array([1, 2])).any()
