"""Filters, orders and counts by words and columns, through the API, against a loop."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from backend.core.database import Database
from backend.record_index.indexing import index_dataset
from backend.scoring.service import Verdicts
from backend.scoring.verdict_filter import VerdictFilter
from tests.backend.scoring.test_refreshing import Quiet, change_records, refresh
from tests.backend.scoring.test_router import base
from tests.backend.training.loop import Loop, fields_of

ClientAs = Callable[..., TestClient]


@pytest.fixture
def indexed(loop: Loop) -> Loop:
    """With the words and columns of its records."""
    index_dataset(loop.services, 1, Quiet())
    return loop


def names(client: TestClient, loop: Loop, **params: Any) -> list[str]:
    page = client.get(base(loop), params={"limit": 1_000, **params})
    assert page.status_code == 200, page.text
    assert page.json()["total"] == len(page.json()["items"])
    return [each["external_id"] for each in page.json()["items"]]


@pytest.mark.parametrize(
    ("params", "holds"),
    [
        ({"text": "kettle"}, lambda n, fields: "kettle" in fields["title"]),
        ({"text": "kettle -steel"}, lambda n, fields: False),
        ({"where": ["price="]}, lambda n, fields: fields["price"] == ""),
        ({"where": ["price=12.50"]}, lambda n, fields: fields["price"] == "12.50"),
        (
            {"where": ["price=12.50"], "text": "steel"},
            lambda n, fields: fields["price"] == "12.50" and "steel" in fields["title"],
        ),
        ({"kind": ["product"]}, lambda n, fields: True),
        ({"kind": ["review"]}, lambda n, fields: False),
        ({"import_id": [7]}, lambda n, fields: False),
    ],
)
def test_words_and_columns_find_what_a_loop_finds(
    indexed: Loop, client_as: ClientAs, params: dict[str, Any], holds: Any
) -> None:
    expected = {str(n) for n in range(90) if holds(n, fields_of(n))}
    assert set(names(client_as("viewer"), indexed, **params)) == expected


def test_records_are_sorted_by_a_column_and_by_age(indexed: Loop, client_as: ClientAs) -> None:
    client = client_as("viewer")
    by_title = names(client, indexed, sort="-field:title")
    titles = [fields_of(int(name))["title"] for name in by_title]
    assert titles == sorted(titles)
    by_price = names(client, indexed, sort="field:price")
    prices = [fields_of(int(name))["price"] for name in by_price]
    there = [price for price in prices if price]
    assert there == sorted(there, reverse=True)
    assert prices == there + [""] * (len(prices) - len(there)), "missing values come last"
    change_records(indexed, new=3, changed=2)
    index_dataset(indexed.services, 1, Quiet())
    refresh(indexed)
    newest = names(client, indexed, sort="newest")
    assert set(newest[:5]) == {"new 0", "new 1", "new 2", "0", "1"}


def test_facets_count_kinds_and_columns(indexed: Loop, client_as: ClientAs) -> None:
    facets = client_as("viewer").get(
        f"{base(indexed)}/facets", params={"column": ["price"], "text": "kettle"}
    )
    found = facets.json()
    assert found["total"] == 30
    assert found["kinds"] == [{"value": "product", "count": 30}]
    prices = [float(fields_of(n)["price"]) for n in range(0, 90, 3)]
    counted = {float(each["value"]): each["count"] for each in found["columns"]["price"]}
    assert counted == {price: prices.count(price) for price in prices}


def test_an_index_of_earlier_records_is_read_by_record(indexed: Loop, client_as: ClientAs) -> None:
    client = client_as("viewer")
    change_records(indexed, new=4, changed=2)
    refresh(indexed)
    found = names(client, indexed, where=["price="])
    expected = {str(n) for n in range(2, 90) if fields_of(n)["price"] == ""}
    assert set(found) == expected, "of records that the index does not have nothing holds"
    assert len(names(client, indexed, sort="field:price")) == 94


def test_refusals_name_what_there_is(loop: Loop, client_as: ClientAs) -> None:
    client = client_as("viewer")
    early = client.get(base(loop), params={"where": ["price=1"]})
    assert early.status_code == 409
    assert "index" in early.json()["detail"]
    index_dataset(loop.services, 1, Quiet())
    unknown = client.get(base(loop), params={"where": ["weight>=3"]})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "where")
    assert "price" in unknown.json()["remedy"]
    assert client.get(base(loop), params={"sort": "field:weight"}).status_code == 422


def test_both_stores_find_the_same(judged: Callable[..., Loop], database: Database) -> None:

    loop = judged(database)
    index_dataset(loop.services, 1, Quiet())
    with Session(database.engine) as session:
        found = Verdicts(session, loop.services).record_ids(
            loop.project(), VerdictFilter(text="shirt 4", where=["price="])
        )
    assert len(found) == sum(str(n)[0] == "4" for n in range(90) if n % 3 == 1)
