"""What the champion says, of a loop that turned once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest

from assay_client import Assay, AsyncAssay, InvalidInput
from backend.access.service import AccessService
from backend.app import create_app
from backend.core.services import Services
from tests.backend.scoring.conftest import judged, loop, new_loop, services
from tests.client.conftest import KeyOf
from tests.fixtures.live_app import live

__all__ = ["judged", "loop", "new_loop", "services"]

SHOP = "Shop"


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    with live(services) as url:
        yield url


@pytest.fixture
def key_of(services: Services) -> KeyOf:
    def make(role: str) -> str:
        with services.database.transaction() as session:
            return AccessService(session, services.clock).create_key(role, role, actor="test").key

    return make


def test_verdicts_in_pages_as_a_frame_and_as_a_file(
    address: str, key_of: KeyOf, tmp_path: Path
) -> None:
    with Assay(address, key_of("engineer")) as assay:
        state = assay.verdicts.state(SHOP)
        assert (state.model_version, state.is_current, state.records) == (1, True, 90)
        page = assay.verdicts.list(SHOP, sort="doubt", limit=2)
        assert (page.total, page.next_offset, page.state) == (90, 2, state)
        assert page.items[0].doubt >= page.items[1].doubt
        rest = assay.verdicts.list(SHOP, sort="doubt", limit=1000, offset=2)
        assert (len(rest.items), rest.next_offset) == (88, None)

        sure = assay.verdicts.list(SHOP, grade=["good"], confidence_from=0.5, source=["model"])
        assert 0 < sure.total < 90
        assert {each.grade for each in sure.items} == {"good"}
        facets = assay.verdicts.facets(SHOP, disagreement=False)
        assert sum(each["count"] for each in facets["grades"]) == facets["total"]

        frame = assay.verdicts.table(SHOP, sort="risk").to_pandas()
        assert len(frame) == 90
        assert frame["risk"].is_monotonic_decreasing
        assert {"title", "price"} <= set(frame.columns)
        path = assay.verdicts.download(SHOP, tmp_path / "verdicts.parquet", grade="good")
        assert set(pd.read_parquet(path)["grade"]) == {"good"}

        job = assay.verdicts.refresh(SHOP)
        assert job is not None
        assert job.name == "scoring.refresh_verdicts"
        with pytest.raises(InvalidInput) as wrong:
            assay.verdicts.list(SHOP, sort="nonsense")
        assert wrong.value.field


def test_the_same_is_awaited(services: Services, key_of: KeyOf) -> None:
    async def scenario() -> None:
        transport = httpx.ASGITransport(create_app(services))
        async with AsyncAssay("http://a", key_of("viewer"), transport=transport) as assay:
            assert (await assay.verdicts.list(SHOP, limit=1)).total == 90
            assert len(await assay.verdicts.table(SHOP, grade="good")) > 0

    asyncio.run(scenario())


def test_records_are_scored_and_brought_at_once(address: str, key_of: KeyOf) -> None:
    with Assay(address, key_of("engineer")) as assay:
        rows = [
            {"title": "steel kettle 5", "price": "15.50"},
            {"title": "?? broken", "price": None},
        ]
        scores = assay.score(SHOP, rows)
        assert (scores.model_version, len(scores.verdicts)) == (1, 2)
        assert all(abs(sum(each.probabilities.values()) - 1) < 1e-3 for each in scores.verdicts)
        brought = [{"sku": "new-1", **rows[0]}]
        added = assay.datasets.add_records("shop", brought, id_column="sku", score_by=SHOP)
        assert (added.new, added.changed) == (1, 0)
        assert added.score is not None
        assert added.score.verdicts[0].grade == scores.verdicts[0].grade
        assert assay.datasets.get("shop").records == 91
