"""The list of jobs refreshes itself under a reader's hands, in a real browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from backend.core.services import Services
from backend.models import Job
from tests.fixtures.live_app import assert_accessible, assert_fits, live, log_in

pytestmark = [pytest.mark.browser]
ERROR = "\n".join([*(f"line {number} of a long trace" for number in range(60)), "It broke."])


def tell(services: Services, message: str) -> None:
    """The running job says something else, so that the next refresh shows."""
    with services.database.transaction() as session:
        job = session.exec(select(Job).where(Job.id == "running-1")).one()
        job.message = message
        session.add(job)


@pytest.mark.parametrize("place", ["/jobs", "/projects/1"])
def test_what_is_open_focused_and_scrolled_stays_so(
    project_id: int, services: Services, page: Page, place: str
) -> None:
    with services.database.transaction() as session:
        failed = session.get_one(Job, "failed-1")
        failed.error = ERROR
        session.add(failed)
    with live(services) as address:
        log_in(page, address, services, "lead")
        page.goto(f"{address}{place}")
        page.locator("#error-failed-1 summary").click()
        words = page.locator("#words-failed-1")
        words.evaluate("each => each.scrollTo(0, 300)")
        page.locator("#cancel-running-1").focus()
        for message in ("said first", "said then"):
            tell(services, message)
            expect(page.get_by_text(message)).to_be_visible(timeout=10_000)
            expect(page.locator("#error-failed-1")).to_have_attribute("open", "")
            expect(page.locator("#cancel-running-1")).to_be_focused()
            assert words.evaluate("each => each.scrollTop") == 300
        page.locator("#error-failed-1 summary").click()
        tell(services, "said last")
        expect(page.get_by_text("said last")).to_be_visible(timeout=10_000)
        expect(page.locator("#error-failed-1")).not_to_have_attribute("open", "")


def test_words_that_are_marked_stay_marked(project_id: int, services: Services, page: Page) -> None:
    with live(services) as address:
        log_in(page, address, services, "lead")
        page.goto(f"{address}/jobs")
        page.locator("#summary-failed-1").click()
        page.locator("#words-failed-1").evaluate("each => getSelection().selectAllChildren(each)")
        tell(services, "not seen while somebody marks")
        page.wait_for_timeout(3_000)
        marked = page.evaluate("getSelection().toString()")
        assert "line 3 is not UTF-8." in marked
        expect(page.get_by_text("not seen while somebody marks")).to_have_count(0)
        page.evaluate("getSelection().removeAllRanges()")
        expect(page.get_by_text("not seen while somebody marks")).to_be_visible(timeout=10_000)


def test_the_filter_has_an_address_to_send_and_outlives_the_refresh(
    project_id: int, services: Services, page: Page, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    with live(services) as address:
        log_in(page, address, services, "lead")
        page.goto(f"{address}/jobs")
        page.select_option("select[name=status]", "failed")
        expect(page.locator("tr[id^=job-]")).to_have_count(1)
        assert "status=failed" in page.url
        page.wait_for_timeout(2_500)
        expect(page.locator("tr[id^=job-]")).to_have_count(1)
        page.fill("input[name=text]", "nobody says this")
        page.press("input[name=text]", "Enter")
        expect(page.get_by_text("No job fits.")).to_be_visible()
        page.go_back()
        expect(page.locator("tr[id^=job-]")).to_have_count(1)
        expect(page.locator("select[name=status]")).to_have_value("failed")
        for name, width in (("desk", 1440), ("phone", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            for language in ("en", "zh"):
                for place in ("/jobs", "/projects/1", "/", "/jobs?text=nothing"):
                    mark = "&" if "?" in place else "?"
                    page.goto(f"{address}{place}{mark}lang={language}")
                    called = place.strip("/").replace("/", "-").partition("?")[0] or "start"
                    called += "-none" * ("text" in place)
                    page.screenshot(
                        path=pictures / f"o-{called}-{language}-{name}.png", full_page=True
                    )
                    assert_fits(page)
                    assert_accessible(page)
