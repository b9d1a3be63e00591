"""The page of the records in a real browser: by keyboard, narrow and wide, in both languages."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from backend.core.database import Database
from backend.core.services import Services
from backend.models import Record
from backend.record_index.indexing import index_dataset
from tests.backend.conftest import cheap_passwords
from tests.backend.explorer.test_pages import HOSTILE
from tests.backend.scoring.conftest import judged, new_loop
from tests.backend.scoring.test_refreshing import Quiet
from tests.backend.training.loop import Loop
from tests.fixtures.live_app import assert_accessible, assert_fits, live, log_in

__all__ = ["cheap_passwords", "judged", "new_loop"]

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

LOOKS = {
    "desk-en-light": ({"width": 1440, "height": 900}, "en", "light"),
    "phone-zh-dark": ({"width": 390, "height": 800}, "zh", "dark"),
}
PLACES = {
    "list": "sort=id",
    "filtered": "grade=poor&grade=fair&source=model&confidence_from=0.5",
    "nothing": "grade=poor&confidence_to=0.01",
    "wrong": "risk_from=7",
}


@pytest.fixture
def services(judged: Callable[..., Loop], sqlite_database: Database) -> Services:
    """Records are judged; some values are hostile."""
    services = judged(sqlite_database).services
    with services.database.transaction() as session:
        rows = session.exec(select(Record).order_by(col(Record.id)).limit(len(HOSTILE)))
        for row, value in zip(rows, HOSTILE, strict=True):
            row.fields = {"title": value, "price": "1"}
            session.add(row)
    index_dataset(services, 1, Quiet())
    return services


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    with live(services) as found:
        yield f"{found}/projects/1/records"


def test_looks_fit_and_are_accessible(
    services: Services, address: str, page: Page, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    log_in(page, address.removesuffix("/projects/1/records"), services, "engineer")
    for look, (size, language, scheme) in LOOKS.items():
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for name, query in PLACES.items():
            page.goto(f"{address}?{query}&lang={language}")
            page.screenshot(path=folder / f"records-{name}-{look}.png")
            assert_fits(page)
            assert_accessible(page)
        for action in ("label", "desk"):
            page.goto(address)
            page.locator("input[value=all]").check()
            page.locator(f"button[value={action}]").click()
            page.locator("#happens").wait_for()
            page.screenshot(path=folder / f"sending-{action}-{look}.png")
            assert_fits(page)
            assert_accessible(page)


def test_from_a_filter_to_a_batch_and_back_by_keyboard(
    services: Services, address: str, page: Page
) -> None:
    log_in(page, address.removesuffix("/projects/1/records"), services, "engineer")
    page.goto(f"{address}?source=model")
    page.locator("a[href*='grade=poor']").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**grade=poor**")
    bar = page.locator(".distribution a").last
    bar.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**confidence_from=**")
    boxes = page.locator("input[name=record_id]")
    for place in (0, 1):
        boxes.nth(place).focus()
        page.keyboard.press("Space")
    expect(page.locator("#ticked")).to_have_text("(2)")
    page.locator("button[value=label]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#happens")).to_have_text("2 records will be labelled by people")
    page.locator("main button.primary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text("2 records are on their way")
    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text("taken back")


def test_the_page_works_without_scripts(services: Services, address: str, page: Page) -> None:
    assert page.context.browser is not None
    log_in(page, address.removesuffix("/projects/1/records"), services, "engineer")
    plain = page.context.browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state()
    )
    try:
        tab = plain.new_page()
        tab.goto(address)
        tab.fill("input[name=text]", "kettle")
        tab.select_option("select[name=sort]", "doubt")
        tab.click(".search button")
        assert tab.url == f"{address}?text=kettle&sort=doubt"
        tab.locator("input[name=record_id]").first.check()
        tab.click("button[value=desk]")
        assert "label" in tab.inner_text("#happens")
    finally:
        plain.close()
