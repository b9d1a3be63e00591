"""Agreement and annotators in a real browser: measured while one waits, on a phone, in Chinese."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.backend.agreement.conftest import GRADES, Measured, busy, measured
from tests.backend.annotations.conftest import seeded
from tests.backend.review.conftest import Desk, database, desk, new_desk
from tests.fixtures.live_app import assert_accessible, assert_fits, live, log_in

__all__ = ["database", "desk", "measured", "new_desk", "seeded"]

pytestmark = [pytest.mark.browser]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@pytest.fixture
def answered(measured: Measured) -> Measured:
    """Six people answer for weeks; somebody was deleted, records are decided."""
    desk: Desk = measured.desk
    people = [*busy(desk), *desk.people("Konstantinos Papadopoulos", "陈思")]
    for task in range(1, 13):
        for place, person in enumerate([*people[4:], None]):
            off = (task + place) % 4 == 0
            marks = ["price"] if task % 4 == 0 and place else []
            desk.answer(task, person, GRADES[(task + off) % 3], fields=marks)
    desk.answer(13, people[4], None, skipped=True)
    for task in range(1, 30):
        measured.decide(task, GRADES[(task - 1) % 3 if task > 12 else task % 3])
    desk.answer(measured.hidden_copy(5), people[2], GRADES[2])
    return measured


@pytest.fixture
def address(answered: Measured) -> Iterator[str]:
    with live(answered.desk.services) as found:
        yield found


def pictures(tmp_path: Path) -> Path:
    return Path(os.environ.get("ASSAY_PICTURES", tmp_path))


def test_a_page_measures_by_itself_and_shows_the_numbers(
    answered: Measured, address: str, page: Page, tmp_path: Path
) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    log_in(page, address, answered.desk.services, "lead")
    page.goto(f"{address}/projects/{answered.project_id}")
    page.get_by_role("link", name="Agreement", exact=True).first.click()
    expect(page.get_by_text("The answers are being measured.")).to_be_visible()
    assert_accessible(page)
    answered.run()
    expect(page.get_by_role("heading", name="By question")).to_be_visible(timeout=10_000)
    expect(page.locator(".curve circle")).to_have_count(6)
    assert_accessible(page)
    page.screenshot(path=pictures(tmp_path) / "agreement-desk.png", full_page=True)
    page.get_by_role("link", name="duplicate").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_contain_text("duplicate")
    page.get_by_role("link", name="Annotators", exact=True).first.click()
    expect(page.get_by_role("link", name="Not known in Label Studio")).to_be_visible()
    assert_accessible(page)
    page.screenshot(path=pictures(tmp_path) / "annotators-desk.png", full_page=True)
    page.get_by_role("link", name="Dan Always-Good").click()
    expect(page.get_by_text("Always the same answer.")).to_be_visible()
    expect(page.locator("table.confusion")).to_have_count(2)
    assert_accessible(page)
    page.screenshot(path=pictures(tmp_path) / "annotator-desk.png", full_page=True)


def test_on_a_phone_in_chinese_and_in_the_dark(
    answered: Measured, address: str, page: Page, tmp_path: Path
) -> None:
    answered.measure()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    log_in(page, address, answered.desk.services, "lead")
    place = f"{address}/projects/{answered.project_id}"
    for dark in (False, True):
        page.emulate_media(color_scheme="dark" if dark else "light")
        for path, heading in (
            ("agreement", "一致性"),
            ("annotators", "标注员"),
            ("annotators/3", "Carl Changed"),
        ):
            page.goto(f"{place}/{path}?lang=zh")
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
            assert_fits(page)
            assert_accessible(page)
            name = f"{path.replace('/', '-')}-phone{'-dark' if dark else ''}.png"
            page.screenshot(path=pictures(tmp_path) / name, full_page=True)
    page.goto(f"{place}?lang=zh")
    assert_fits(page)
    page.screenshot(path=pictures(tmp_path) / "project-phone.png", full_page=True)
