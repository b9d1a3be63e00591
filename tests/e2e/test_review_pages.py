"""The review desk in a real browser: by keyboard, on a phone, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from backend.models import Annotation, Prediction
from tests.backend.annotations.conftest import NOW, seeded
from tests.backend.review.conftest import Desk, database, desk, new_desk
from tests.fixtures.live_app import assert_accessible, assert_fits, live, log_in
from tests.fixtures.model_version import model_version

__all__ = ["database", "desk", "new_desk", "seeded"]

pytestmark = [pytest.mark.browser]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@pytest.fixture
def contested(desk: Desk) -> Desk:
    """Three people disagree about five records, and so does the classifier."""
    people = desk.people("Ana Duarte", "Bo Lindqvist", "陈思")
    for task in range(1, 6):
        for place, person in enumerate(people):
            desk.answer(
                task,
                person,
                ("good", "fair", "poor")[place],
                issues=["duplicate"] if place else [],
                fields=["price"] if place == 1 else [],
            )
    with desk.services.database.transaction() as session:
        version = model_version(desk.project_id)
        session.add(version)
        session.flush()
        session.add(
            Prediction(
                task_id=1,
                model_version_id=version.id,
                grade="poor",
                score=0.93,
                grade_probabilities={"good": 0.02, "fair": 0.05, "poor": 0.93},
                issue_probabilities={"duplicate": 0.8},
                field_probabilities={"price": 0.4},
                explanation=[
                    {
                        "field": "price",
                        "value": "1",
                        "contribution": 1.4,
                        "reason": {"en": "price supports poor", "zh": "price 支持 poor"},
                        "tokens": [],
                    }
                ],
                created_at=NOW,
            )
        )
    desk.refresh()
    return desk


@pytest.fixture
def address(contested: Desk) -> Iterator[str]:
    with live(contested.services) as found:
        yield found


def open_first(page: Page) -> None:
    """The first case of the queue is open, by keyboard."""
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.locator("a.open").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#decision")).to_be_visible()
    page.wait_for_load_state()


def test_a_lead_decides_by_keyboard_alone(
    contested: Desk, address: str, page: Page, tmp_path: Path
) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    log_in(page, address, contested.services, "lead")
    place = f"{address}/projects/{contested.project_id}/review"
    page.goto(place)
    expect(page.locator("li.case")).to_have_count(5)
    assert_accessible(page)
    page.screenshot(path=tmp_path / "queue.png", full_page=True)
    open_first(page)
    first = page.url
    assert_accessible(page)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.screenshot(path=tmp_path / "case.png", full_page=True)
    page.keyboard.press("3")
    page.keyboard.press("r")
    page.keyboard.type("price of another product")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**notice=decided&*")
    expect(page.get_by_role("status")).to_contain_text("The case is decided.")
    assert page.url.split("?")[0] != first.split("?")[0]
    page.keyboard.press("q")
    expect(page.locator("li.case")).to_have_count(4)
    decided = [case for case in contested.cases().values() if case.state == "decided"]
    assert len(decided) == 1

    # Somebody else decides the case that is on the screen: nothing is overwritten.
    open_first(page)
    number = int(page.url.split("?")[0].rsplit("/", 1)[1])
    second = page.context.new_page()
    second.goto(page.url)
    second.keyboard.press("a")
    second.wait_for_url("**notice=ambiguous&*")
    page.keyboard.press("1")
    page.keyboard.press("r")
    page.keyboard.type("typed with care")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("is not as you read it")
    expect(page.locator("input[name=grade]:checked")).to_have_value("good")
    expect(page.locator("textarea[name=reason]")).to_have_value("typed with care")
    page.screenshot(path=tmp_path / "conflict.png", full_page=True)
    states = {case.id: case.state for case in contested.cases().values()}
    assert states[number] == "ambiguous"


def test_bulk_with_preview_and_undo_and_filters(
    contested: Desk, address: str, page: Page, tmp_path: Path
) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    log_in(page, address, contested.services, "lead")
    page.goto(f"{address}/projects/{contested.project_id}/review")
    page.fill("input[name=search]", "unheard")
    page.press("input[name=search]", "Enter")
    expect(page.get_by_text("No case here")).to_be_visible()
    page.fill("input[name=search]", "")
    page.press("input[name=search]", "Enter")
    expect(page.locator("li.case")).to_have_count(5)
    page.locator("select[name=reason]").select_option("tie")
    page.wait_for_url("**reason=tie**")  # what is asked for later would replace an open form
    page.wait_for_load_state("networkidle")
    expect(page.locator("li.case")).to_have_count(5)
    page.locator("details.bulk summary").click()
    page.locator("details.bulk select").select_option("ambiguous")
    page.get_by_label("Why").fill("seen together")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("5 of 5 cases would be decided.")).to_be_visible()
    assert_accessible(page)
    page.screenshot(path=tmp_path / "bulk.png", full_page=True)
    page.get_by_role("button", name="Decide 5 cases").click()
    expect(page.get_by_role("status")).to_contain_text("5 cases are done")
    assert {case.state for case in contested.cases().values()} == {"ambiguous"}
    page.locator("#undo").click()
    expect(page.get_by_role("status")).to_contain_text("5 cases are taken back.")
    assert {case.state for case in contested.cases().values()} == {"open"}


def test_corrections_are_taken_over_and_b_asks_whom_to_send_it_back_to(
    contested: Desk, address: str, page: Page, tmp_path: Path
) -> None:
    with contested.services.database.transaction() as session:
        for row, price in zip(
            session.exec(select(Annotation).order_by(col(Annotation.id))),
            ("9.90", "9.90", "8 <b>"),
            strict=False,
        ):
            row.corrected_values = {"price": price}
            session.add(row)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    log_in(page, address, contested.services, "reviewer")
    case = contested.cases()[1]
    page.goto(f"{address}/projects/{contested.project_id}/review/{case.id}")
    corrected = page.locator("input[name='corrected:price']")
    expect(corrected).to_have_value("")
    proposed = page.locator("button.take-over")
    assert [each.inner_text() for each in proposed.all()] == [
        "take over: 9.90 ×2",
        "take over: 8 <b>",
    ]
    proposed.first.focus()
    page.keyboard.press("Enter")
    expect(corrected).to_have_value("9.90")
    expect(corrected).to_be_focused()
    expect(page.locator("input[name=faulty_fields][value=price]")).to_be_checked()
    expect(page.locator("input[name=faulty_fields][value=title]")).not_to_be_checked()
    assert_accessible(page)
    assert_fits(page)
    page.screenshot(path=tmp_path / "proposed.png", full_page=True)
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.locator("select[name=assignee_id]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**notice=sent_back&*")
    assert contested.cases()[1].state == "sent_back"


def test_on_a_phone_in_chinese(contested: Desk, address: str, page: Page, tmp_path: Path) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    log_in(page, address, contested.services, "reviewer")
    page.goto(f"{address}/projects/{contested.project_id}/review?lang=zh")
    expect(page.get_by_role("heading", name="复核台")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    page.screenshot(path=tmp_path / "phone-queue.png", full_page=True)
    page.locator("a.open").first.click()
    expect(page.get_by_role("heading", name="各人答案对照")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    page.screenshot(path=tmp_path / "phone-case.png", full_page=True)
    page.get_by_role("button", name="退回", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("记录将退回重新标注。")
    assert "sent_back" in {case.state for case in contested.cases().values()}
