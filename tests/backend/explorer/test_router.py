"""Programs send records on as people do."""

from tests.backend.conftest import ClientAs
from tests.backend.training.loop import Loop

PROJECT = "/api/v1/projects/1"


def test_records_are_sent_to_be_labelled_under_a_name_and_taken_back(
    loop: Loop, client_as: ClientAs
) -> None:
    engineer = client_as("engineer")
    wanted = {"filter": {"source": ["model"], "risk_from": 0.5}, "sending": "nightly-7"}
    first = engineer.post(f"{PROJECT}/batches/chosen", json=wanted)
    assert first.status_code == 201
    told = first.json()
    assert told["records"] == len(loop.tasks(0)) > 0
    again = engineer.post(f"{PROJECT}/batches/chosen", json=wanted).json()
    assert (again["batch_id"], again["records"]) == (told["batch_id"], told["records"])
    assert len(loop.tasks(0)) == told["records"]
    unnamed = engineer.post(f"{PROJECT}/batches/chosen", json={"filter": wanted["filter"]})
    assert unnamed.status_code == 409, "every one has a task"
    back = engineer.delete(f"{PROJECT}/batches/chosen/nightly-7")
    assert back.json() == {"records": told["records"]}
    assert engineer.delete(f"{PROJECT}/batches/chosen/nightly-7").status_code == 404


def test_labels_are_sent_to_the_desk_and_taken_back(loop: Loop, client_as: ClientAs) -> None:
    engineer = client_as("engineer")
    sent = engineer.post(f"{PROJECT}/cases/chosen", json={"filter": {}, "sending": "x"}).json()
    assert (sent["labels"], len(sent["unanswered"]), sent["on_desk"]) == (40, 50, 0)
    loop.run()
    cases = engineer.get(f"{PROJECT}/cases?reason=chosen").json()
    assert cases["total"] == 40
    assert engineer.delete(f"{PROJECT}/cases/chosen/x").json() == {"records": 40}


def test_who_and_what_is_refused(loop: Loop, client_as: ClientAs) -> None:
    engineer, viewer = client_as("engineer"), client_as("viewer")
    for place in ("batches/chosen", "cases/chosen"):
        address = f"{PROJECT}/{place}"
        assert viewer.post(address, json={"filter": {}}).status_code == 403
        assert engineer.post(address, json={}).status_code == 422
        assert engineer.post(address, json={"filter": {"colour": "red"}}).status_code == 422
        nothing = engineer.post(address, json={"filter": {"record_id": [999_999]}})
        assert (nothing.status_code, nothing.json()["field"]) == (422, "record_id")
