"""The pages of model versions: what they tell, to whom, and what can be done there."""

import re

import pytest
from sqlmodel import select

from backend.core.services import Services
from backend.models import AuditEvent, VersionReport
from tests.backend.conftest import ClientAs
from tests.backend.model_reports.conftest import loop, new_loop, services
from tests.backend.training.loop import Loop

__all__ = ["loop", "new_loop", "services"]


@pytest.fixture
def place(loop: Loop) -> str:
    return f"/projects/{loop.project_id}/models"


def test_the_page_tells_what_was_measured(
    loop: Loop, services: Services, browser_as: ClientAs, place: str
) -> None:
    lead = browser_as("lead")
    listed = lead.get(place).text
    assert f'href="{place}/1"' in listed
    assert f'href="{place}/2"' in listed
    page = lead.get(f"{place}/2").text
    value = loop.promotions[-1].evidence["challenger"]["value"]
    for words in (
        f"<b>{100 * value:.1f} %</b>",
        "What is taken for what",
        "Beside v1, on the same records",
        "Wrong before, right now",
        "more records needed",
        "A part needs",
        f"/api/v1{place}/2/download",
        '<svg class="reliability"',
        "The records are those of the gate",
    ):
        assert words in page, words
    assert lead.get(f"{place}/9").status_code == 404
    chinese = lead.get(f"{place}/2", params={"lang": "zh"}).text
    for words in ("模型版本 2", "什么被当成什么", "与 v1 在同样的记录上比较"):
        assert words in chinese, words


def test_rolling_back_from_the_page_leaves_a_trace(
    loop: Loop, services: Services, browser_as: ClientAs, place: str
) -> None:
    lead = browser_as("lead")
    other = 1 if "champion</span></h1>" in lead.get(f"{place}/2").text else 2
    page = lead.get(f"{place}/{other}").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    assert 'type="checkbox" required' in page
    sent = {"number": other, "reason": "too strict", "back": "model", "csrf_token": token[1]}
    answer = lead.post(f"/projects/{loop.project_id}/rollback", data=sent)
    assert answer.headers["location"] == f"{place}/{other}?notice=rolled-back"
    assert "champion</span></h1>" in lead.get(f"{place}/{other}").text
    with loop.services.database.reading() as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "model.rolled_back"))
        assert [event.detail["reason"] for event in events] == ["too strict"]
    assert "Roll back" not in browser_as("viewer").get(f"{place}/{3 - other}").text


def test_a_version_that_was_not_measured_leads_on(
    loop: Loop, services: Services, browser_as: ClientAs, place: str
) -> None:
    with loop.services.database.transaction() as session:
        for row in session.exec(select(VersionReport)):
            session.delete(row)
    engineer = browser_as("engineer")
    page = engineer.get(f"{place}/1").text
    assert "Not measured yet" in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    answer = engineer.post(f"{place}/measure", data={"csrf_token": token[1]})
    assert answer.headers["location"] == f"{place}?notice=measuring"
    assert "are being measured" in engineer.get(f"{place}/1").text
    loop.run()
    assert "What is taken for what" in engineer.get(f"{place}/1").text
    assert "Measure all" not in browser_as("viewer").get(f"{place}/1").text
