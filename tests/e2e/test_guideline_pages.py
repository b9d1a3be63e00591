"""Guidelines, own work, account, users and audit trail in a real browser.

By keyboard alone, at the width of a desk and of a phone, in both languages, checked with axe.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.access.service import AccessService
from backend.core.database import Database
from backend.core.services import Services
from backend.guidelines.schemas import GuidelineDraft, Rule
from backend.guidelines.service import Guidelines
from tests.backend.annotations.conftest import Seeded, seeded
from tests.backend.conftest import PASSWORD, cheap_passwords
from tests.backend.overview.test_own_work import send_back
from tests.backend.review.conftest import Desk, new_desk
from tests.fixtures.live_app import assert_accessible, assert_fits, live

__all__ = ["cheap_passwords", "new_desk", "seeded"]

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

SIZES = {"desk": 1280, "phone": 390}
TEXT = "## Grades\n\n- **good**: nothing is wrong\n- **poor**: a buyer would be misled\n"
TEXT_ZH = "## 等级\n\n- **优良**：没有问题\n- **差**：会误导买家\n"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


@pytest.fixture
def desk(new_desk: Callable[[Seeded], Desk], seeded: Seeded) -> Desk:
    """Two people who differ, a task sent back, two versions of the guideline, three users."""
    made = new_desk(seeded)
    ana, bo = made.people("Ana", "Annotator")
    for task in range(1, 10):
        made.answer(task, ana, "good", issues=["duplicate"] if task % 2 else [], fields=["price"])
        made.answer(task, bo, "poor" if task % 3 == 0 else "good", issues=["duplicate"])
    send_back(made, 1, bo)
    rules = [
        Rule(
            name="which duplicate stays",
            about="duplicate",
            text="The older record stays.",
            text_zh="保留较早的记录。",
        )
    ]
    with made.services.database.transaction() as session:
        guidelines = Guidelines(session, made.clock)
        draft = GuidelineDraft(
            text=TEXT, text_zh=TEXT_ZH, rules=rules, change="Rule for duplicates", based_on=1
        )
        guidelines.save(made.project, draft, author="lead@example.org")
        guidelines.publish(made.project, 2, actor="lead@example.org")
        access = AccessService(session, made.clock)
        for role in ("annotator", "lead", "admin"):
            access.create_user(f"{role}@example.org", role, PASSWORD, actor="cli:root")
    return made


@pytest.fixture
def services(desk: Desk) -> Services:
    return desk.services


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    with live(services) as found:
        yield found


def log_in(page: Page, address: str, role: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{address}/login")
    expect(page.locator("input[name=email]")).to_be_focused()
    page.keyboard.type(f"{role}@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def look(page: Page, name: str) -> None:
    """The page fits its width and has no serious finding, in both languages and widths."""
    asked = page.url.split("#")[0]
    for language in ("en", "zh"):
        separator = "&" if "?" in asked else "?"
        for size, width in SIZES.items():
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{asked}{separator}lang={language}")
            assert_fits(page)
            take(page, f"{name}-{size}-{language}")
    assert_accessible(page)
    page.set_viewport_size({"width": SIZES["desk"], "height": 900})
    page.goto(f"{asked}{separator}lang=en")


def take(page: Page, name: str) -> None:
    """A picture of the page, in the folder that ASSAY_PICTURES names, if it does."""
    if folder := os.environ.get("ASSAY_PICTURES"):
        page.screenshot(path=str(Path(folder, f"{name}.png")), full_page=True)


def tab_to(page: Page, name: str) -> None:
    """The control of that name has the focus, reached by the Tab key alone."""
    for _ in range(80):
        page.keyboard.press("Tab")
        words = page.evaluate(
            "(e => (e.getAttribute('aria-label') || e.innerText || e.name || '').trim())"
            "(document.activeElement)"
        )
        if words == name:
            return
    raise AssertionError(f"no way to {name!r} by keyboard")


def test_the_pages_by_keyboard_at_both_widths_in_both_languages(
    desk: Desk, address: str, page: Page
) -> None:
    page.set_default_timeout(10_000)
    guideline = f"{address}/projects/{desk.project_id}/guideline"

    log_in(page, address, "annotator")
    assert page.url == f"{address}/my-work"
    look(page, "my-work")
    tab_to(page, "Guideline of Shop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    look(page, "guideline-annotator")

    log_in(page, address, "lead")
    page.goto(guideline)
    look(page, "guideline-lead")
    tab_to(page, "which duplicate stays")
    page.keyboard.press("Enter")
    assert page.url.endswith("#rule-1")
    tab_to(page, "Write a rule about poor")
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit?about=poor#new-rule")
    look(page, "guideline-edit")
    page.get_by_label("Name", exact=True).last.focus()
    page.keyboard.type("what misleads")
    tab_to(page, "rule_text")
    page.keyboard.type("A wrong **price** misleads.")
    tab_to(page, "change")
    page.keyboard.type("what poor means")
    tab_to(page, "Preview")
    page.keyboard.press("Enter")
    expect(page.locator("#preview strong", has_text="price")).to_be_visible()
    expect(page.locator("#preview ins").first).to_contain_text("what misleads")
    assert_accessible(page)
    take(page, "guideline-preview-desk-en")

    with desk.services.database.transaction() as session:  # somebody else is quicker
        other = GuidelineDraft(text="Other words", change="in between", based_on=2)
        Guidelines(session, desk.clock).save(desk.project, other, author="bo@example.org")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Somebody saved version 3 meanwhile: bo@example.org.")
    assert_accessible(page)
    take(page, "guideline-conflict-desk-en")
    page.get_by_label("What is new and why").focus()
    page.keyboard.press("Enter")  # Enter in a line of the form saves
    page.wait_for_url("**/versions/4?notice=saved")
    look(page, "guideline-version")
    tab_to(page, "Publish this version")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Version 4")).to_be_visible()
    page.goto(f"{address}/audit?action=guideline.published")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto(f"{address}/audit")
    look(page, "audit")

    log_in(page, address, "admin")
    page.goto(f"{address}/users")
    look(page, "users")
    page.get_by_label("E-mail address").focus()
    page.keyboard.type("new@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Password of new@example.org")).to_be_visible()
    take(page, "users-new-desk-en")
    page.goto(f"{address}/account")
    look(page, "account")
