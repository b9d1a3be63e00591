"""The audit trail: filtered, page by page, for leads."""

import re

import pytest
from fastapi.testclient import TestClient

from backend.audit.service import AuditTrail
from backend.core.services import Services
from tests.backend.conftest import ClientAs
from tests.backend.overview.store import fill


@pytest.fixture
def lead(services: Services, browser_as: ClientAs) -> TestClient:
    with services.database.transaction() as session:
        project = fill(session, services.clock())
        trail = AuditTrail(session, services.clock)
        for number in range(120):
            trail.append("Ana@example.org", "case.decide", f"project:{project}", {"case": number})
        trail.append("bo_1@example.org", "case.reopen", f"project:{project}", {"words": "x" * 300})
        trail.append("<b>mallory</b>", "user.created", "user:7")
        trail.append("ana@example.org", "model.promoted", "project:99")
    return browser_as("lead")


def rows(page: str) -> int:
    return page.count("<tr>") - 1


def test_it_is_filtered_by_person_action_subject_and_project(lead: TestClient) -> None:
    assert rows(lead.get("/audit?actor=BO_").text) == 1
    assert rows(lead.get("/audit?actor=o%25").text) == -1, "a percent sign is no wildcard"
    assert rows(lead.get("/audit?action=case.reopen").text) == 1
    assert rows(lead.get("/audit?subject=user:7").text) == 1
    assert rows(lead.get("/audit?project_id=99").text) == 1
    both = lead.get("/audit?project_id=1&actor=ana&action=case.decide").text
    assert rows(both) == 50
    assert "Nothing of that kind happened." in lead.get("/audit?actor=nobody").text
    assert lead.get("/audit?project_id=x").status_code == 422


def test_pages_go_back_to_the_beginning(lead: TestClient) -> None:
    address, seen = "/audit?action=case.decide", []
    for _ in range(5):
        page = lead.get(address).text
        seen += re.findall(r"&#34;case&#34;: (\d+)", page) or re.findall(r'"case": (\d+)', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if older is None:
            break
        address = older[1].replace("&amp;", "&")
    assert seen == [str(number) for number in reversed(range(120))]
    assert "Newest" in page


def test_nothing_in_it_is_obeyed(lead: TestClient) -> None:
    page = lead.get("/audit").text
    assert "&lt;b&gt;mallory" in page
    assert "<b>mallory" not in page


def test_the_same_as_json(lead: TestClient, client_as: ClientAs) -> None:
    program = client_as("lead")
    first = program.get("/api/v1/audit", params={"action": "case.decide", "limit": 100}).json()
    rest = program.get(
        "/api/v1/audit", params={"action": "case.decide", "before": first[-1]["id"]}
    ).json()
    assert len(first) == 100
    assert [event["detail"]["case"] for event in rest] == list(reversed(range(20)))
    assert first[0]["project_id"] == 1
    assert client_as("engineer").get("/audit").status_code == 403
