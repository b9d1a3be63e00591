"""Scores, and records that are judged as they come: what is sent and read."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pandas as pd
import pytest
from fastapi import FastAPI

from assay_client import AsyncAssay, RowsUnreadable
from tests.client.contract_app import contract_app

Scenario = Callable[[AsyncAssay], Coroutine[Any, Any, None]]


def play(app: FastAPI, scenario: Scenario) -> None:
    async def scene() -> None:
        transport = httpx.ASGITransport(app)
        async with AsyncAssay("http://contract", "k", transport=transport) as assay:
            await scenario(assay)

    asyncio.run(scene())


def test_any_number_of_records_is_scored_in_order_by_one_model_version() -> None:
    app = contract_app([3, 3, 4])

    async def scenario(assay: AsyncAssay) -> None:
        rows = pd.DataFrame({"title": [f"Mug {n}" for n in range(2_500)]})
        scores = await assay.score(1, rows)
        assert scores.model_version == 4  # it came after the second part: all is done again
        titles = [each.fields["title"] for each in scores.verdicts]
        assert titles == list(rows["title"])
        with pytest.raises(RowsUnreadable):
            await assay.score(1, [])

    play(app, scenario)
    assert app.state.asked == [1_000, 1_000, 500, 1_000, 1_000, 500]


def test_records_are_added_and_judged_at_once() -> None:
    app = contract_app([3])

    async def scenario(assay: AsyncAssay) -> None:
        rows = [{"sku": 17.0, "title": "Mug"}, {"sku": "x", "title": None}]
        added = await assay.datasets.add_records(1, rows, id_column="sku")
        assert (added.new, added.score) == (2, None)
        for wrong in ([{"title": "no id"}], [{"sku": n} for n in range(1_001)], []):
            with pytest.raises(RowsUnreadable):
                await assay.datasets.add_records(1, wrong, id_column="sku")

    play(app, scenario)
    (sent,) = app.state.asked
    assert sent[0] == {"external_id": "17", "fields": {"title": "Mug"}}
