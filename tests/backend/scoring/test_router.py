"""Verdicts over HTTP: pages, facets, files, and what counts beside them."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService
from tests.backend.scoring.test_refreshing import change_records, refresh
from tests.backend.training.loop import Loop

ClientAs = Callable[..., TestClient]


def base(loop: Loop) -> str:
    return f"/api/v1/projects/{loop.project_id}/verdicts"


def test_pages_go_through_all_records_in_order(loop: Loop, client_as: ClientAs) -> None:
    client, found, offset = client_as("viewer"), list[dict[str, Any]](), 0
    while offset is not None:
        page = client.get(base(loop), params={"offset": offset, "limit": 40}).json()
        assert page["total"] == 90
        found += page["items"]
        offset = page["next_offset"]
    assert len({each["record_id"] for each in found}) == 90
    risks = [each["risk"] for each in found]
    assert risks == sorted(risks, reverse=True)
    smallest = client.get(base(loop), params={"sort": "-risk"}).json()["items"]
    assert smallest[0]["risk"] == min(risks)
    for each in found:
        assert each["grade"] == max(each["probabilities"], key=each["probabilities"].get)
        assert sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert {one["field"] for one in each["faulty_fields"]} <= {"title", "price"}


def test_what_people_said_stands_beside_the_verdict(loop: Loop, client_as: ClientAs) -> None:
    client = client_as("viewer")
    people = client.get(base(loop), params={"source": "people", "limit": 100}).json()
    labelled = {task.record_id for task in loop.tasks(1)}
    assert {each["record_id"] for each in people["items"]} == labelled
    for each in people["items"]:
        assert each["label"] == ("good", "fair", "poor")[int(each["external_id"]) % 3]
        assert each["is_disagreement"] == (each["label"] != each["grade"])
    model = client.get(base(loop), params={"source": "model"}).json()
    assert model["total"] == 90 - len(labelled)
    facets = client.get(f"{base(loop)}/facets").json()
    assert {one["value"]: one["count"] for one in facets["sources"]} == {
        "model": 90 - len(labelled),
        "machine": 0,
        "people": len(labelled),
        "decision": 0,
    }


def test_verdicts_say_whether_they_are_of_now(loop: Loop, client_as: ClientAs) -> None:
    client = client_as("viewer")
    assert client.get(f"{base(loop)}/state").json()["is_current"] is True
    change_records(loop, new=3, changed=2)
    page = client.get(base(loop)).json()
    assert page["state"]["is_current"] is False
    assert page["total"] == 90
    refresh(loop)
    page = client.get(base(loop)).json()
    assert (page["state"]["is_current"], page["total"]) == (True, 93)


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet"])
def test_files_hold_what_the_pages_show(loop: Loop, client_as: ClientAs, file_format: str) -> None:
    client = client_as("viewer")
    wanted = {"grade": ["poor", "fair"], "sort": "doubt"}
    shown = client.get(base(loop), params={**wanted, "limit": 100}).json()["items"]
    answer = client.get(f"{base(loop)}/export", params={**wanted, "format": file_format})
    assert answer.status_code == 200
    if file_format == "jsonl":
        assert [json.loads(line) for line in answer.text.splitlines()] == shown
        return
    rows = (
        list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        if file_format == "csv"
        else pq.read_table(io.BytesIO(answer.content)).to_pylist()
    )
    assert [row["external_id"] for row in rows] == [each["external_id"] for each in shown]
    for row, each in zip(rows, shown, strict=True):
        assert row["grade"] == each["grade"]
        assert float(row["probability.poor"]) == pytest.approx(each["probabilities"]["poor"])
        assert row["faulty_fields"] == ", ".join(one["field"] for one in each["faulty_fields"])
        assert row["title"] == each["fields"]["title"]


def test_refusals_lead_on(loop: Loop, new_loop: Callable[..., Loop], client_as: ClientAs) -> None:
    client = client_as("viewer")
    unknown = client.get(base(loop), params={"sort": "beauty"})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "sort")
    assert "risk" in unknown.json()["remedy"]
    assert client.get(base(loop), params={"confidence_from": 2}).status_code == 422
    assert client_as("scorer").get(base(loop)).status_code == 403
    queued = client_as("engineer").post(f"{base(loop)}/refresh")
    assert queued.status_code == 202


def test_before_the_first_champion_the_answer_says_what_is_missing(
    loop: Loop, client_as: ClientAs
) -> None:
    with loop.services.database.transaction() as session:
        other = ProjectsService(session, loop.clock).create(
            ProjectCreate(name="Other", dataset="shop"), actor="test"
        )
        number = other.id
    answer = client_as("viewer").get(f"/api/v1/projects/{number}/verdicts")
    assert answer.status_code == 409
    assert "no champion" in answer.json()["detail"]
    state = client_as("viewer").get(f"/api/v1/projects/{number}/verdicts/state").json()
    assert state["model_version"] is None
