"""From ticked rows to people and to the desk: told before, done once, and taken back."""

from fastapi.testclient import TestClient
from sqlmodel import select

from backend.models import SentCase
from tests.backend.conftest import ClientAs
from tests.backend.explorer.conftest import PLACE, hidden, token, told
from tests.backend.training.loop import Loop


def records(browser: TestClient, query: str) -> list[int]:
    items = browser.get(f"/api/v1/projects/1/verdicts?{query}&limit=1000").json()["items"]
    return [item["record_id"] for item in items]


def choose(browser: TestClient, action: str, **fields: object) -> str:
    """What the page before the sending says."""
    form = {"csrf_token": token(browser.get(PLACE).text), "action": action, **fields}
    answer = browser.post(f"{PLACE}/chosen", data=form)
    assert answer.status_code == 200, told(answer.text)
    return answer.text


def test_ticked_records_are_sent_to_be_labelled_once_and_taken_back(
    loop: Loop, browser_as: ClientAs
) -> None:
    engineer = browser_as("engineer")
    free = records(engineer, "source=model")[:3]
    asked = records(engineer, "source=people")[:2]
    page = choose(engineer, "label", which="ticked", record_id=[*free, *asked], query="sort=doubt")
    assert "5 records are chosen." in told(page)
    assert "3 records will be labelled by people" in told(page)
    assert "2 have a task already" in told(page)
    assert "chosen by engineer@example.org" in told(page)
    form = hidden(page, f"{PLACE}/sent")
    sent = engineer.post(f"{PLACE}/sent", data=form)
    again = engineer.post(f"{PLACE}/sent", data=form)
    assert sent.status_code == again.status_code == 303
    assert sent.headers["location"] == again.headers["location"]
    assert sorted(task.record_id for task in loop.tasks(0)) == sorted(free)
    after = engineer.get(sent.headers["location"]).text
    assert "3 records are on their way to be labelled." in told(after)
    back = engineer.post(f"{PLACE}/sent/undo", data=hidden(after, f"{PLACE}/sent/undo"))
    assert back.headers["location"] == f"{PLACE}?sort=doubt&notice=taken_back"
    assert loop.tasks(0) == []


def test_what_label_studio_has_cannot_be_taken_back(loop: Loop, browser_as: ClientAs) -> None:
    engineer = browser_as("engineer")
    page = choose(engineer, "label", which="ticked", record_id=records(engineer, "source=model")[0])
    place = engineer.post(f"{PLACE}/sent", data=hidden(page, f"{PLACE}/sent")).headers["location"]
    form = hidden(engineer.get(place).text, f"{PLACE}/sent/undo")
    loop.run()
    assert 'id="undo"' not in engineer.get(place).text
    refused = engineer.post(f"{PLACE}/sent/undo", data=form)
    assert refused.status_code == 409
    assert "Label Studio has these records already." in told(refused.text)


def test_all_that_match_are_found_by_the_server(loop: Loop, browser_as: ClientAs) -> None:
    engineer = browser_as("engineer")
    wanted = records(engineer, "source=model&grade=poor")
    assert len(wanted) > 1
    page = choose(
        engineer, "label", which="all", query="source=model&grade=poor", record_id=[wanted[0]]
    )
    form = hidden(page, f"{PLACE}/sent")
    assert "record_id" not in form, "the filter is sent, not the rows"
    assert form["going"] == [str(len(wanted))]
    engineer.post(f"{PLACE}/sent", data=form)
    assert sorted(task.record_id for task in loop.tasks(0)) == sorted(wanted)


def test_others_than_were_confirmed_are_not_sent(loop: Loop, browser_as: ClientAs) -> None:
    engineer = browser_as("engineer")
    page = choose(engineer, "label", which="all", query="source=model")
    form = hidden(page, f"{PLACE}/sent")
    refused = engineer.post(f"{PLACE}/sent", data={**form, "going": ["1"]})
    assert refused.status_code == 409
    assert "Nothing was sent" in told(refused.text)
    assert loop.tasks(0) == []


def test_labels_go_to_the_desk_and_what_has_no_answer_is_offered_to_be_labelled(
    loop: Loop, browser_as: ClientAs
) -> None:
    engineer = browser_as("engineer")
    answered = records(engineer, "source=people")[:2]
    free = records(engineer, "source=model")[:1]
    page = choose(engineer, "desk", which="ticked", record_id=[*answered, *free])
    assert "2 labels will be on the desk" in told(page)
    assert "1 has no answer yet" in told(page)
    offer = hidden(page, f"{PLACE}/chosen")
    assert (offer["action"], offer["record_id"]) == (["label"], [str(free[0])])
    assert "1 record will be labelled" in told(engineer.post(f"{PLACE}/chosen", data=offer).text)
    place = engineer.post(f"{PLACE}/sent", data=hidden(page, f"{PLACE}/sent")).headers["location"]
    loop.run()
    reviewer = browser_as("reviewer")
    queue = told(reviewer.get("/projects/1/review?reason=chosen").text)
    assert "sent to the desk by engineer@example.org" in queue
    assert queue.count("Sent to the desk") >= 2
    after = engineer.get(place).text
    assert "2 labels are on their way to the desk." in told(after)
    engineer.post(f"{PLACE}/sent/undo", data=hidden(after, f"{PLACE}/sent/undo"))
    loop.run()
    with loop.services.database.reading() as session:
        assert session.exec(select(SentCase)).all() == []
    assert reviewer.get("/api/v1/projects/1/cases?state=open&reason=chosen").json()["total"] == 0


def test_files_of_what_is_ticked_and_of_what_matches(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    some = records(viewer, "source=model")[:2]
    form = {"csrf_token": token(viewer.get(PLACE).text), "query": "grade=poor&sort=doubt"}
    ticked = viewer.post(
        f"{PLACE}/chosen", data={**form, "which": "ticked", "record_id": some, "action": "csv"}
    )
    rows = viewer.get(ticked.headers["location"]).text.splitlines()
    assert sorted(int(row.split(",")[0]) for row in rows[1:]) == sorted(some)
    for kind in ("csv", "jsonl", "parquet"):
        answer = viewer.post(f"{PLACE}/chosen", data={**form, "which": "all", "action": kind})
        place = answer.headers["location"]
        assert place.endswith(f"verdicts/export?grade=poor&sort=doubt&format={kind}")
        assert viewer.get(place).status_code == 200


def test_nothing_ticked_is_told_and_a_viewer_sends_nothing(
    loop: Loop, browser_as: ClientAs
) -> None:
    engineer, viewer = browser_as("engineer"), browser_as("viewer")
    form = {"csrf_token": token(engineer.get(PLACE).text), "which": "ticked", "action": "label"}
    refused = engineer.post(f"{PLACE}/chosen", data={**form, "query": "grade=poor"})
    assert refused.status_code == 422
    assert "No record is chosen. Tick rows, or choose all that match." in told(refused.text)
    assert "Remove this filter" in refused.text, "the choice stays"
    one = records(viewer, "source=model")[:1]
    form = {"csrf_token": token(viewer.get(PLACE).text), "which": "ticked", "action": "label"}
    assert viewer.post(f"{PLACE}/chosen", data={**form, "record_id": one}).status_code == 403
    answer = viewer.post(f"{PLACE}/sent", data={**form, "record_id": one, "going": "1"})
    assert answer.status_code == 403
    assert engineer.get(f"{PLACE}/chosen").headers["location"] == PLACE
