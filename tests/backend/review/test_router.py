from fastapi.testclient import TestClient
from sqlmodel import select

from backend.models import Annotation
from tests.backend.conftest import ClientAs
from tests.backend.review.conftest import Desk


def path_of(desk: Desk) -> str:
    return f"/api/v1/projects/{desk.project_id}/cases"


def disagree(desk: Desk, tasks: int = 3) -> None:
    ana, bo = desk.people("Ana", "Bo")
    for task in range(1, tasks + 1):
        desk.answer(task, ana, "good")
        desk.answer(task, bo, "poor", issues=["duplicate"])
    desk.refresh()


def test_reviewers_decide_and_viewers_do_not(desk: Desk, client_as: ClientAs) -> None:
    disagree(desk)
    viewer, reviewer = client_as("viewer"), client_as("reviewer")
    assert viewer.get(path_of(desk)).status_code == 403
    listed = reviewer.get(path_of(desk)).json()
    assert listed["total"] == 3
    case = listed["items"][0]
    assert {each["code"] for each in case["grounds"]} == {"tie", "issue:duplicate"}
    body = {"version": case["version"], "action": "decide", "grade": "poor", "reason": "seen"}
    assert viewer.post(f"{path_of(desk)}/{case['id']}/decisions", json=body).status_code == 403
    made = reviewer.post(f"{path_of(desk)}/{case['id']}/decisions", json=body)
    assert made.status_code == 201
    assert made.json()["state"] == "decided"
    assert made.json()["decision"]["author"] == "key:reviewer"
    again = reviewer.post(f"{path_of(desk)}/{case['id']}/decisions", json=body)
    assert again.status_code == 409
    assert again.json()["field"] == "version"
    assert reviewer.get(path_of(desk)).json()["total"] == 2


def test_filters_and_pages(desk: Desk, client_as: ClientAs) -> None:
    disagree(desk)
    reviewer = client_as("reviewer")

    def total(**wanted: object) -> int:
        answer = reviewer.get(path_of(desk), params=wanted)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])

    assert total(reason="tie") == total(reason="issue:") == total(kind="product") == 3
    assert total(reason="issue:stale") == total(kind="review") == total(state="decided") == 0
    assert total(search="r2") == 1
    assert total(state="", reason="", kind="", annotator="", search="") == 3
    assert total(annotator=1) == 3
    assert total(annotator=999) == 0
    assert reviewer.get(path_of(desk), params={"state": "lost"}).status_code == 422
    seen, offset = [], 0
    while offset is not None:
        page = reviewer.get(path_of(desk), params={"limit": 2, "offset": offset}).json()
        seen += [item["id"] for item in page["items"]]
        offset = page["next_offset"]
    assert len(set(seen)) == 3
    middle = reviewer.get(f"{path_of(desk)}/{seen[1]}").json()
    assert (middle["previous_id"], middle["next_id"]) == (seen[0], seen[2])


def test_bulk_is_for_leads(desk: Desk, client_as: ClientAs) -> None:
    disagree(desk)
    lead: TestClient = client_as("lead")
    body = {"action": "ambiguous", "filter": {"reason": "tie"}}
    assert client_as("reviewer").post(f"{path_of(desk)}/bulk", json=body).status_code == 403
    assert lead.post(f"{path_of(desk)}/bulk", json=body).status_code == 422
    preview = lead.post(f"{path_of(desk)}/bulk/preview", json=body).json()
    done = lead.post(
        f"{path_of(desk)}/bulk", json={**body, "case_versions": preview["case_versions"]}
    )
    assert (done.status_code, done.json()["decided"]) == (201, 3)
    undone = lead.post(f"{path_of(desk)}/bulk/{done.json()['bulk_id']}/undo")
    assert undone.json() == {"undone": 3, "conflicts": []}
    assert lead.post(f"{path_of(desk)}/bulk/unheard/undo").status_code == 404


def test_unknown_cases_and_an_empty_project(desk: Desk, client_as: ClientAs) -> None:
    reviewer = client_as("reviewer")
    assert reviewer.get(path_of(desk)).json() == {"total": 0, "next_offset": None, "items": []}
    assert reviewer.get(f"{path_of(desk)}/77").status_code == 404
    assert reviewer.post(f"{path_of(desk)}/refresh").status_code == 202


def test_a_change_by_somebody_else_is_seen(desk: Desk, client_as: ClientAs) -> None:
    disagree(desk, 1)
    with desk.services.database.transaction() as session:
        row = session.exec(select(Annotation).where(Annotation.annotator_id == 1)).one()
        row.updated_by_id = 2
        session.add(row)
    reviewer = client_as("reviewer")
    (listed,) = reviewer.get(path_of(desk)).json()["items"]
    answers = reviewer.get(f"{path_of(desk)}/{listed['id']}").json()["answers"]
    assert [answer["edited_by"] for answer in answers] == ["Bo", None]
