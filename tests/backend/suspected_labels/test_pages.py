"""The lead's page about labels: as text, for other roles, and in a browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import delete

from backend.core.services import Services
from backend.models import CaseReason, ReviewCase, Task
from backend.suspected_labels import pages
from backend.suspected_labels.picture import suspicion_picture
from backend.suspected_labels.schemas import Assessment
from backend.suspected_labels.service import LabelFindings
from backend.words import in_both
from backend.words.catalogue import catalogue
from labeling.label_schema import Titles
from tests.backend.conftest import ClientAs
from tests.backend.training.loop import Loop
from tests.fixtures.live_app import live, log_in


def path_of(loop: Loop) -> str:
    return f"/projects/{loop.project_id}/labels"


def test_leads_see_suspects_with_people_and_the_task(loop: Loop, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    assert f'href="{path_of(loop)}"' in lead.get(f"/projects/{loop.project_id}").text
    page = lead.get(path_of(loop)).text
    assert page.count('class="card finding"') >= 3
    assert "label-studio.example" not in page, "opening a task there could overwrite its answer"
    assert "is the most probable other label" in page
    assert '<rect class="high" width="' in page
    assert "#1: " in page  # who answered, without a name
    for kind in ("relabel", "harmful", "redundant", "important"):
        shown = lead.get(path_of(loop), params={"kind": kind, "limit": 5}).text
        assert ("held-out accuracy" in shown) == (kind != "relabel")
    chinese_page = lead.get(path_of(loop), params={"lang": "zh", "kind": "harmful"}).text
    for words in ("需要复查的标签", "出错概率", "留出集准确率", "可疑错误"):
        assert words in chinese_page


def test_findings_lead_to_their_review_cases(loop: Loop, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    listed = lead.get(f"/api/v1/projects/{loop.project_id}/label-findings").json()["items"]
    first, second = listed[:2]
    with loop.services.database.transaction() as session:
        copied = session.get(Task, second["task_id"])
        assert copied is not None
        session.execute(delete(CaseReason))
        session.execute(delete(ReviewCase))
        case = ReviewCase(
            project_id=loop.project_id,
            task_id=first["task_id"],
            state="open",
            opened_at=loop.clock(),
            changed_at=loop.clock(),
        )
        session.add(case)
        session.flush()
        case_id = case.id
        copied.original_id, copied.purpose = first["task_id"], "relabel"
    again = lead.get(f"/api/v1/projects/{loop.project_id}/label-findings").json()["items"]
    assert [item["case_id"] for item in again[:3]] == [case_id, case_id, None]
    page = lead.get(path_of(loop)).text
    place = f"/projects/{loop.project_id}/review/{case_id}?state="
    assert page.count(f'<a class="button" href="{place}">Open the review case</a>') == 2
    assert lead.get(place).status_code == 200
    assert "打开复核案例" in lead.get(path_of(loop), params={"lang": "zh"}).text


def test_pages_turn(loop: Loop, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    first = lead.get(path_of(loop), params={"kind": "relabel", "limit": 25}).text
    assert "?kind=relabel&amp;offset=25" in first
    last = lead.get(path_of(loop), params={"kind": "relabel", "offset": 50, "limit": 25}).text
    assert last.count('class="card finding"') == 10
    assert "offset=25" in last
    assert "offset=60" not in last
    assert lead.get(path_of(loop), params={"kind": "nonsense"}).status_code == 422


def test_it_is_for_leads(loop: Loop, browser_as: ClientAs) -> None:
    engineer = browser_as("engineer")
    assert engineer.get(path_of(loop)).status_code == 403
    assert path_of(loop) not in engineer.get(f"/projects/{loop.project_id}").text
    assert browser_as("lead").get("/projects/999/labels").status_code == 404


def test_it_says_why_nothing_is_judged(
    loop: Loop, services: Services, browser_as: ClientAs
) -> None:
    (version,) = loop.versions
    with services.database.transaction() as session:
        LabelFindings(session, loop.clock).keep(
            version,
            Assessment(
                labels=9, audit_labels=2, skipped_message=in_both("9 are too few", "9 个太少")
            ),
        )
    lead = browser_as("lead")
    assert "9 are too few" in lead.get(path_of(loop)).text
    assert "9 个太少" in lead.get(path_of(loop), params={"lang": "zh"}).text


def test_captions_are_chinese_too() -> None:
    words = {caption for _, caption in pages.TABS} | set(pages.EXPLAINED.values()) - {""}
    assert [text for text in words if text not in catalogue("zh")] == []


TITLES = Titles(grades={"good": "very long words for the best", "poor": "差"})


def test_the_picture_counts_every_label_once() -> None:
    given = [("good", 0.0), ("good", 0.04), ("poor", 0.51), ("poor", 1.0), ("poor", 0.5)]
    picture = suspicion_picture(given, ["good", "fair", "poor"], TITLES)
    assert picture is not None
    assert [(row.title, row.caption, row.labels, row.suspected) for row in picture.rows] == [
        ("very long words for the best", "very long words f…", 2, 0),
        ("差", "差", 3, 2),
    ]
    counts = [int(bar.title.rsplit(": ", 1)[1]) for row in picture.rows for bar in row.bars]
    assert counts == [2, 2, 1]
    for row in picture.rows:
        for bar in row.bars:
            assert picture.left <= bar.x < bar.x + bar.width <= picture.right
            assert 0 <= bar.y < bar.y + bar.height <= row.base + 1e-9
    assert suspicion_picture([], ["good"], TITLES) is None


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    with live(services) as found:
        yield found


@pytest.mark.browser
def test_the_page_fits_desk_and_phone(
    loop: Loop, services: Services, address: str, page: Page, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    log_in(page, address, services, "lead")
    for name, width, query in (
        ("desk-en", 1280, "lang=en"),
        ("desk-zh", 1280, "lang=zh&kind=harmful"),
        ("phone-en", 390, "lang=en&kind=relabel"),
        ("phone-zh", 390, "lang=zh"),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{address}{path_of(loop)}?{query}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        bar = page.locator(".suspicion svg").first.bounding_box()
        assert bar is not None
        assert bar["width"] > 120
        assert page.locator(".spread rect").count() > 3
        page.screenshot(path=str(pictures / f"labels-{name}.png"))
