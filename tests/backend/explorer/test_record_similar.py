"""Records that resemble one another, and lists in which a reader goes on."""

import sys

import numpy as np
from sqlmodel import col, select

from active_learning.encoders.record_text import record_text
from backend.explorer.record_neighbours import Neighbour, RecordQuery, neighbours
from backend.explorer.record_similar import SIMILAR, similar_records
from backend.features.store import FeatureStore
from backend.models import Record
from tests.backend.conftest import ClientAs
from tests.backend.explorer.drawing import draw
from tests.backend.explorer.test_record_pages import place, put
from tests.backend.scoring.test_refreshing import refresh
from tests.backend.training.loop import FIELDS, Loop


def test_the_most_similar_records_are_those_of_the_nearest_embeddings(loop: Loop) -> None:
    draw(loop)
    with loop.services.database.reading() as session:
        held = session.exec(select(Record).order_by(col(Record.id))).all()
        own = held[17]
        found = similar_records(session, loop.services, loop.project(), own)
    texts = [record_text({name: each.fields.get(name) for name in FIELDS}) for each in held]
    vectors = FeatureStore(loop.services).cache().embed(texts)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units[17]
    cosines[17] = -2.0
    assert found is not None
    assert len(found) == SIMILAR
    np.testing.assert_allclose(
        [each.similarity for each in found], np.sort(cosines)[::-1][:SIMILAR], atol=2e-4
    )
    assert all(each.verdict is not None for each in found)
    assert own.id not in {each.record.id for each in found}


def test_a_record_that_came_after_the_map_finds_those_like_it_too(loop: Loop) -> None:
    draw(loop)
    new_id = put(loop, "newcomer", title="steel kettle 3003", price="13.25")
    with loop.services.database.reading() as session:
        project = loop.project()
        newcomer = session.get_one(Record, new_id)
        assert similar_records(session, loop.services, project, newcomer) is None
    refresh(loop)  # its text is embedded now
    with loop.services.database.reading() as session:
        newcomer = session.get_one(Record, new_id)
        found = similar_records(session, loop.services, loop.project(), newcomer)
    assert found is not None
    assert {each.record.fields["title"].split()[1] for each in found} == {"kettle"}


def test_the_page_lists_them(loop: Loop, browser_as: ClientAs) -> None:
    draw(loop)
    page = browser_as("viewer").get(place(loop, 5)).text
    similar = page.split('id="similar"')[1]
    assert similar.count(f'href="/projects/{loop.project_id}/records/') == SIMILAR


def test_next_and_previous_follow_the_list(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    query = {"grade": ["poor", "fair"], "sort": "-doubt"}
    api = f"/api/v1/projects/{loop.project_id}/verdicts"
    listed = viewer.get(api, params={**query, "limit": 100}).json()
    ids = [item["record_id"] for item in listed["items"]]
    last = len(ids) - 1
    with loop.services.database.reading() as session:

        def near(record_id: int, position: int | None) -> object:
            wanted = RecordQuery(**query, position=position)
            return neighbours(session, loop.services, loop.project(), record_id, wanted)

        middle, first, end = near(ids[4], 4), near(ids[0], 0), near(ids[last], last)
        moved, left = near(ids[5], 4), near(10**6, 4)
        assert near(ids[4], None) is None
    assert (middle.previous, middle.next) == (Neighbour(ids[3], 3), Neighbour(ids[5], 5))
    assert middle.total == len(ids)
    assert (first.previous, first.next) == (None, Neighbour(ids[1], 1))
    assert (end.previous, end.next) == (Neighbour(ids[last - 1], last - 1), None)
    assert (moved.position, moved.next) == (5, Neighbour(ids[6], 6))
    assert (left.previous, left.next) == (Neighbour(ids[3], 3), Neighbour(ids[4], 4))
    page = viewer.get(place(loop, ids[4]), params={**query, "position": 4}).text
    onward = f"{place(loop, ids[5])}?sort=-doubt&amp;grade=poor&amp;grade=fair&amp;position=5"
    assert f'id="next" rel="next" href="{onward}"' in page
    assert f"5 of {len(ids)} in the list." in page
    assert 'id="next"' not in viewer.get(place(loop, ids[4])).text


def test_serving_pages_takes_no_encoder(loop: Loop, browser_as: ClientAs) -> None:
    draw(loop)
    viewer = browser_as("viewer")
    loaded = {name for name in sys.modules if name.split(".")[0] in {"torch", "transformers"}}
    assert viewer.get(place(loop, 5)).status_code == 200
    now = {name for name in sys.modules if name.split(".")[0] in {"torch", "transformers"}}
    assert now == loaded
