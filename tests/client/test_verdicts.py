"""Verdicts, scores, and records that are judged as they come: what is sent and read."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
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


def test_verdicts_come_in_pages_with_their_filters(tmp_path: Path) -> None:
    app = contract_app([3])

    async def scenario(assay: AsyncAssay) -> None:
        page = await assay.verdicts.list(
            1, sort="doubt", limit=2, grade="poor", is_disagreement=True
        )
        assert ([each.record_id for each in page.items], page.next_offset) == ([0, 1], 2)
        assert page.items[0].faulty_fields[0].reason == "far from others"
        last = await assay.verdicts.list(1, limit=2, offset=2)
        assert last.next_offset is None
        assert (await assay.verdicts.facets(1, grade=["good", "poor"]))["grades"]["poor"] == 2
        frame = (await assay.verdicts.table(1, grade="poor")).to_pandas()
        assert list(frame["risk"]) == [0.8, 0.8]
        path = await assay.verdicts.download(1, tmp_path / "verdicts.csv", format="csv")
        assert path.read_text() == "as csv"
        assert (await assay.verdicts.refresh(1)).id == "scoring.refresh-1"

    play(app, scenario)
    first = {"grade": "poor", "is_disagreement": "true", "sort": "doubt", "offset": "0"}
    assert app.state.asked[0] == first | {"limit": "2"}


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
        assert added.verdicts is None
        assert added.model_extra == {"new": 2}
        for wrong in ([{"title": "no id"}], [{"sku": n} for n in range(1_001)], []):
            with pytest.raises(RowsUnreadable):
                await assay.datasets.add_records(1, wrong, id_column="sku")

    play(app, scenario)
    (sent,) = app.state.asked
    assert sent[0] == {"external_id": "17", "fields": {"title": "Mug"}}
