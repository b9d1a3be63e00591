"""A decision is told with its record on the page that comes next, and taken back there."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from backend.models import Decision
from tests.backend.conftest import ClientAs
from tests.backend.review.conftest import Desk
from tests.backend.review.test_router import disagree

NOTICE = re.compile(r'<div class="notice good line".*?</div>', re.DOTALL)


@pytest.fixture
def reviewer(desk: Desk, browser_as: ClientAs) -> TestClient:
    disagree(desk)
    return browser_as("reviewer")


def queue_of(desk: Desk) -> str:
    return f"/projects/{desk.project_id}/review"


def form_of(page: str, **values: str) -> dict[str, str]:
    fields = dict(re.findall(r'name="(csrf_token|version)" value="([^"]+)"', page))
    return {**fields, **values}


def decide(reviewer: TestClient, desk: Desk, task: int, action: str = "decide") -> str:
    """The address of the page that comes next."""
    place = f"{queue_of(desk)}/{desk.cases()[task].id}"
    form = form_of(reviewer.get(place).text, action=action, grade="poor", reason="seen")
    answer = reviewer.post(place, data=form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def undo(reviewer: TestClient, page: str) -> str:
    (notice,) = NOTICE.findall(page)
    found = re.search(r'action="([^"]+/undo\?[^"]*)".*?name="decision" value="(\d+)"', notice)
    assert found
    form = {**form_of(notice), "decision": found[2]}
    answer = reviewer.post(found[1].replace("&amp;", "&"), data=form)
    return str(answer.headers.get("location", answer.status_code))


@pytest.mark.parametrize("action", ["decide", "ambiguous", "send_back"])
def test_the_notice_names_the_record_and_undoes_it_in_one_click(
    desk: Desk, reviewer: TestClient, action: str
) -> None:
    following = reviewer.get(decide(reviewer, desk, 1, action)).text
    case = desk.cases()[1]
    (notice,) = NOTICE.findall(following)
    assert f'href="{queue_of(desk)}/{case.id}?state=open">r1</a>' in notice
    assert "<h1>r1" not in following, "another record is shown"
    desk.refresh()
    page = reviewer.get(undo(reviewer, following)).text
    assert "<h1>r1" in page
    assert "The decision is taken back." in page
    undone = desk.cases()[1]
    assert (undone.state, undone.decision_id) == ("open", None)
    with desk.services.database.reading() as session:
        rows = session.exec(select(Decision).order_by(Decision.id)).all()  # type: ignore[arg-type]
    assert [row.action for row in rows] == [action, "undo"]


def test_the_last_case_leads_to_the_queue_which_tells_the_same(
    desk: Desk, reviewer: TestClient
) -> None:
    for task in (1, 2):
        decide(reviewer, desk, task)
    place = decide(reviewer, desk, 3)
    assert place.startswith(f"{queue_of(desk)}?")
    undo(reviewer, reviewer.get(place).text)
    assert desk.cases()[3].state == "open"


def test_a_case_that_was_changed_since_offers_no_undo_and_refuses_one(
    desk: Desk, reviewer: TestClient
) -> None:
    following = reviewer.get(decide(reviewer, desk, 1)).text
    case = desk.cases()[1]
    decide(reviewer, desk, 1, "reopen")
    assert undo(reviewer, following) == "409"
    assert desk.cases()[1].version == case.version + 1
    again = re.search(r"decision=(\d+)", decide(reviewer, desk, 2))
    assert again
    place = f"{queue_of(desk)}/{desk.cases()[3].id}?notice=decided&decision="
    with desk.services.database.reading() as session:
        first = session.exec(select(Decision.id).order_by(Decision.id)).first()  # type: ignore[arg-type]
    told = NOTICE.findall(reviewer.get(f"{place}{first}").text)[0]
    assert "r1</a>" in told
    assert "/undo" not in told
    assert "r2</a>" in NOTICE.findall(reviewer.get(f"{place}{again[1]}").text)[0]


def test_a_decision_of_elsewhere_is_not_told_nor_undone(desk: Desk, reviewer: TestClient) -> None:
    place = decide(reviewer, desk, 1)
    number = re.search(r"decision=(\d+)", place)
    assert number
    other = desk.cases()[2].id
    told = reviewer.get(f"{queue_of(desk)}/{other}?notice=decided&decision=999").text
    assert "/undo" not in NOTICE.findall(told)[0]
    form = form_of(told, decision=number[1])
    assert reviewer.post(f"{queue_of(desk)}/{other}/undo", data=form).status_code == 404
    assert desk.cases()[1].state == "decided"


def test_a_note_is_kept_and_has_no_undo(desk: Desk, reviewer: TestClient) -> None:
    page = reviewer.get(decide(reviewer, desk, 1, "note")).text
    assert "The note is kept." in page
    assert "/undo" not in NOTICE.findall(page)[0]


def test_programs_take_a_decision_back_too(desk: Desk, client_as: ClientAs) -> None:
    disagree(desk)
    client = client_as("reviewer")
    path = f"/api/v1/projects/{desk.project_id}/cases/{desk.cases()[1].id}"
    body = {"version": desk.cases()[1].version, "action": "decide", "grade": "poor"}
    made = client.post(f"{path}/decisions", json=body).json()
    address = f"{path}/decisions/{made['decision']['id']}/undo"
    assert client_as("viewer").post(address).status_code == 403
    assert client.post(address).json()["state"] == "open"
    assert client.post(address).status_code == 409
    assert client.post(f"{path}/decisions/999/undo").status_code == 404


def test_a_bulk_action_is_undone_from_its_notice(desk: Desk, browser_as: ClientAs) -> None:
    disagree(desk)
    lead = browser_as("lead")
    page = lead.get(queue_of(desk)).text
    form = form_of(page, action="ambiguous", why="all alike", state="open")
    preview = lead.post(f"{queue_of(desk)}/bulk/preview", data=form).text
    cases = re.findall(r'name="case" value="([^"]+)"', preview)
    answer = lead.post(f"{queue_of(desk)}/bulk", data={**form, "case": cases})
    page = lead.get(answer.headers["location"]).text
    (notice,) = NOTICE.findall(page)
    assert "3 cases are done." in notice
    address = re.search(r'action="([^"]+/undo)"', notice)
    assert address
    answer = lead.post(address[1], data=form_of(notice))
    assert "3 cases are taken back." in lead.get(answer.headers["location"]).text
    assert {case.state for case in desk.cases().values()} == {"open"}
