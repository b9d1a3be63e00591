"""The page of the records shows what the verdicts say, and leads on from everywhere."""

import re
from typing import Any

from sqlmodel import col, select

from backend.core.services import Services
from backend.models import Record
from backend.record_index.indexing import index_dataset
from tests.backend.conftest import ClientAs
from tests.backend.explorer.conftest import PLACE, matching, told
from tests.backend.scoring.test_refreshing import Quiet
from tests.backend.training.loop import Loop

HOSTILE: tuple[Any, ...] = (
    "<script>alert(1)</script>" + "x" * 5_000,
    "قميص قطن أبيض",
    "保温杯 不锈钢 500ml",
    {"nested": ["<b>", 1]},
    None,
)


def test_a_row_says_what_the_verdict_says(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    verdict = viewer.get("/api/v1/projects/1/verdicts?limit=1").json()["items"][0]
    page = viewer.get(PLACE).text
    row = told(page.split('<li class="card verdict">')[1])
    assert verdict["external_id"] in row
    assert f"{100 * verdict['confidence']:.0f} %" in row
    assert f"Risk {100 * verdict['risk']:.0f} %" in row
    assert f"Doubt {100 * verdict['doubt']:.0f} %" in row
    for issue in verdict["issues"]:
        assert issue["name"].replace("_", " ") in row
    for field in verdict["faulty_fields"]:
        assert field["field"] in row
    assert f'href="{PLACE}/{verdict["record_id"]}"' in page
    assert "90 of 90 records match." in told(page)
    assert "Verdicts by v1 of" in told(page)
    assert "Send to be labelled" not in page, "a viewer looks only"
    assert ">Records</a>" in page, "a tab of the project"


def test_hostile_values_are_text(loop: Loop, services: Services, browser_as: ClientAs) -> None:
    with services.database.transaction() as session:
        rows = session.exec(select(Record).order_by(col(Record.id)).limit(len(HOSTILE)))
        for row, value in zip(rows, HOSTILE, strict=True):
            row.fields = {"title": value, "price": "1"}
            session.add(row)
    page = browser_as("viewer").get(f"{PLACE}?sort=id").text
    page += browser_as("reviewer").get(f"{PLACE}?sort=-id").text
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "x" * 700 not in page, "a value in short"
    assert '<bdi title="قميص قطن أبيض">قميص قطن أبيض</bdi>' in page
    assert "保温杯 不锈钢 500ml" in page
    assert "<b>" not in page[page.index("nested") : page.index("nested") + 40]


def test_facets_filter_and_come_off_again(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    page = viewer.get(PLACE).text
    links = re.findall(
        r'<a href="([^"]*grade=[^"]*)"[^>]*>.*?<span class="count">(\d+)', page, re.S
    )
    assert len(links) == 3
    counts = [int(count) for _, count in links]
    assert sum(counts) == 90
    for link, count in links:
        assert matching(viewer, link.replace("&amp;", "&")) == int(count)
    both = f"{PLACE}?grade=good&grade=poor"
    assert matching(viewer, both) < 90
    chosen = viewer.get(both).text
    assert f'href="{PLACE}?grade=poor"' in chosen, "good can be taken away"
    third = re.search(r'href="[^"]*grade=good&amp;grade=poor&amp;grade=fair"', chosen)
    assert third, "the list counts on though it is filtered by"
    assert matching(viewer, f"{PLACE}?source=people") == 40
    assert matching(viewer, f"{PLACE}?confidence_to=0.01") == 0


def test_bars_of_a_distribution_lead_to_their_records(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    page = viewer.get(PLACE).text
    bars = re.findall(r'<a href="([^"]*risk_[^"]*)" aria-label="[^"]*: (\d+) record', page)
    assert sum(int(count) for _, count in bars) == 90
    for link, count in bars:
        address = link.replace("&amp;", "&")
        assert matching(viewer, address) == int(count)
        assert 'aria-current="true"' in viewer.get(address).text


def test_a_form_s_fields_become_the_address_that_is_sent_on(
    loop: Loop, browser_as: ClientAs
) -> None:
    viewer = browser_as("viewer")
    answer = viewer.get(f"{PLACE}?text=&grade=poor&sort=risk&field=price&operator=%3E%3D&value=5")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{PLACE}?grade=poor&where=price%3E%3D5"
    assert viewer.get(f"{PLACE}?text=&sort=risk&field=").headers["location"] == PLACE
    missing = viewer.get(f"{PLACE}?field=price&operator=%3D&value=")
    assert missing.headers["location"] == f"{PLACE}?where=price%3D"


def test_pages_follow_each_other(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    seen: list[str] = []
    place: str | None = f"{PLACE}?sort=doubt"
    while place:
        page = viewer.get(place).text
        seen += re.findall(r'name="record_id" value="(\d+)"', page)
        after = re.search(r'rel="next" href="([^"]+)"', page)
        place = after[1].replace("&amp;", "&") if after else None
    assert (len(seen), len(set(seen))) == (90, 90)


def test_nothing_that_matches_leads_on(loop: Loop, browser_as: ClientAs) -> None:
    page = browser_as("viewer").get(f"{PLACE}?grade=poor&confidence_to=0.01").text
    assert "No record matches" in page
    assert f'href="{PLACE}?grade=poor"' in page
    assert f'href="{PLACE}?confidence_to=0.01"' in page


def test_a_wrong_filter_is_told_in_words_and_what_was_typed_stays(
    loop: Loop, browser_as: ClientAs
) -> None:
    viewer = browser_as("viewer")
    for wrong, name in (
        ("risk_from=7", "Risk at least"),
        ("source=nobody", "What counts"),
        ("record_id=99999999999999999999", "Record"),
    ):
        answer = viewer.get(f"{PLACE}?text=kettle&{wrong}")
        assert answer.status_code == 422
        assert f"The filter {name} cannot be" in told(answer.text)
        assert 'value="kettle"' in answer.text
        assert "Remove this filter" in answer.text
    answer = viewer.get(f"{PLACE}?sort=colour")
    assert (answer.status_code, "not sorted by" in answer.text) == (422, True)
    assert viewer.get(f"{PLACE}?risk_from=7&lang=zh").text.count("不能是") == 1


def test_words_columns_and_kinds_are_found_once_they_are_indexed(
    loop: Loop, services: Services, browser_as: ClientAs
) -> None:
    viewer = browser_as("viewer")
    early = viewer.get(f"{PLACE}?where=price%3D")
    assert early.status_code == 409, "told on the page itself"
    assert "Remove this filter" in early.text
    with services.database.transaction() as session:
        row = session.exec(select(Record).order_by(col(Record.id))).first()
        assert row is not None
        row.fields = {"title": "保温杯 不锈钢 500ml", "price": "10"}
        session.add(row)
    index_dataset(services, 1, Quiet())
    assert matching(viewer, f"{PLACE}?text=不锈钢") == 1
    assert matching(viewer, f"{PLACE}?text=shirt") == 30
    assert matching(viewer, f"{PLACE}?text=shirt&where=price%3D") == 30, "no price"
    assert matching(viewer, f"{PLACE}?where=price%3E%3D25.5") < 30
    assert matching(viewer, f"{PLACE}?kind=product") == 90
    assert f'href="{PLACE}?kind=product"' in viewer.get(PLACE).text
    assert viewer.get(f"{PLACE}?sort=field:price").status_code == 200
    assert viewer.get(f"{PLACE}?where=nonsense").status_code == 422


def test_while_verdicts_are_old_the_line_says_so_and_asks_again(
    loop: Loop, services: Services, browser_as: ClientAs
) -> None:
    viewer = browser_as("viewer")
    assert "every 10s" not in viewer.get(f"{PLACE}/state").text
    with services.database.transaction() as session:
        first = session.exec(select(Record)).first()
        assert first is not None
        session.add(
            Record(
                **first.model_dump(exclude={"id", "external_id", "content_hash"}),
                external_id="new",
                content_hash="f" * 64,
            )
        )
    line = viewer.get(f"{PLACE}/state", headers={"HX-Request": "true"}).text
    assert "being renewed" in line
    assert "every 10s" in line
    assert f'hx-get="{PLACE}/state"' in line


def test_who_may_not_read_the_project_sees_nothing(loop: Loop, browser_as: ClientAs) -> None:
    assert browser_as("annotator").get(PLACE).status_code == 403
    assert browser_as("viewer").get("/projects/99/records").status_code == 404
