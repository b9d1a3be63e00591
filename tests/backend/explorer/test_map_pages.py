"""The map of records, as text and as points."""

import pytest

from backend.explorer import map_service
from tests.backend.conftest import ClientAs
from tests.backend.explorer.drawing import draw
from tests.backend.scoring.test_refreshing import change_records, refresh
from tests.backend.training.loop import Loop


def place(loop: Loop) -> str:
    return f"/projects/{loop.project_id}/map"


def test_points_have_the_verdicts_and_labels_of_now(loop: Loop, browser_as: ClientAs) -> None:
    draw(loop)
    viewer = browser_as("viewer")
    points = viewer.get(f"{place(loop)}/points").json()
    listed = viewer.get(
        f"/api/v1/projects/{loop.project_id}/verdicts", params={"limit": 1000}
    ).json()
    verdicts = {item["record_id"]: item for item in listed["items"]}
    assert sorted(points["ids"]) == sorted(verdicts)
    names = points["titles"]
    for row, record_id in enumerate(points["ids"]):
        verdict = verdicts[record_id]
        assert names[points["grades"][row]] == verdict["grade"]
        assert points["doubts"][row] == pytest.approx(verdict["doubt"], abs=1e-4)
        label = points["labels"][row]
        assert (None if label < 0 else names[label]) == verdict["label"]
        assert abs(points["x"][row]) <= 1 >= abs(points["y"][row])
    table = viewer.get(place(loop)).text
    poor = sum(item["grade"] == "poor" for item in verdicts.values())
    row = table.split("records?grade=poor")[1].split("</tr>")[0]
    assert f">{poor}</td>" in row


def test_a_point_says_its_record_in_a_few_words(loop: Loop, browser_as: ClientAs) -> None:
    draw(loop)
    viewer = browser_as("viewer")
    words = viewer.get(f"{place(loop)}/points/5").json()
    record = viewer.get(
        f"/api/v1/projects/{loop.project_id}/verdicts", params={"record_id": 5}
    ).json()["items"][0]
    assert words["title"] == record["external_id"]
    assert words["lines"][0].startswith(record["grade"])
    assert record["fields"]["title"] in words["lines"]
    assert viewer.get(f"{place(loop)}/points/999999").status_code == 404


def test_few_chosen_points_are_named_in_the_address(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    answer = _choose(viewer, loop, "7,3,7")
    assert answer.status_code == 303
    base = f"/projects/{loop.project_id}/records"
    assert answer.headers["location"] == f"{base}?record_id=3&record_id=7"


def test_many_are_kept_under_a_key_that_filters(
    loop: Loop, browser_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_service, "LISTED", 5)
    viewer = browser_as("viewer")
    chosen = ",".join(map(str, range(1, 31)))
    location = _choose(viewer, loop, chosen).headers["location"]
    key = location.split("?selection=")[1]
    api = f"/api/v1/projects/{loop.project_id}/verdicts"
    listed = viewer.get(api, params={"selection": key, "sort": "id", "limit": 100}).json()
    assert sorted(item["record_id"] for item in listed["items"]) == list(range(1, 31))
    poor = viewer.get(api, params={"selection": key, "grade": "poor"}).json()
    assert 0 < poor["total"] < 30
    assert viewer.get(api, params={"selection": "0" * 16}).status_code == 404
    assert viewer.get(api, params={"selection": "../../secret"}).status_code == 422
    record = viewer.get(f"/projects/{loop.project_id}/records/3?selection={key}&position=1").text
    assert f"of {listed['total']} in the list." in record


@pytest.mark.parametrize("ids", ["", "1,x", "1,,2", "-4", "9" * 30])
def test_what_is_no_selection_is_refused(loop: Loop, browser_as: ClientAs, ids: str) -> None:
    assert _choose(browser_as("viewer"), loop, ids).status_code == 422


def test_too_many_are_refused(
    loop: Loop, browser_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_service, "MOST", 3)
    answer = _choose(browser_as("viewer"), loop, "1,2,3,4")
    assert answer.status_code == 422
    assert "between 1 and 3 records" in answer.text


def test_it_says_that_there_is_none_and_that_it_is_out_of_date(
    loop: Loop, browser_as: ClientAs
) -> None:
    viewer = browser_as("viewer")
    assert "There is no map yet" in viewer.get(place(loop)).text
    assert viewer.get(f"{place(loop)}/points").json()["ids"] == []
    draw(loop)
    assert "being drawn anew" not in viewer.get(place(loop)).text
    change_records(loop, new=2, changed=1)
    refresh(loop)
    page = viewer.get(place(loop)).text
    assert "being drawn anew" in page
    points = viewer.get(f"{place(loop)}/points").json()
    assert len(points["ids"]) == 89  # the one that changed is no current record any more
    for words in ("记录地图", "存疑", "判定"):
        assert words in viewer.get(place(loop), params={"lang": "zh"}).text
    assert browser_as("annotator").get(place(loop)).status_code == 403


def _choose(browser, loop: Loop, ids: str):
    from backend.core.security import CSRF_FIELD, SESSION_COOKIE, csrf_token

    token = csrf_token(browser.cookies[SESSION_COOKIE])
    return browser.post(f"{place(loop)}/selection", data={"ids": ids, CSRF_FIELD: token})
