"""Records judged at once, and records brought by programs."""

import io
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from active_learning.portable import load_model
from backend.core.security import Principal
from backend.models import Dataset, Record
from backend.registry.service import RegistryService
from tests.backend.scoring.test_refreshing import refresh
from tests.backend.training.loop import Loop, fields_of

ClientAs = Callable[..., TestClient]
FIGURES = ("grade", "confidence", "probabilities", "issue_probabilities", "risk", "doubt")


def score(client: TestClient, loop: Loop, *records: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/projects/{loop.project_id}/score", json={"records": list(records)})


def test_a_known_record_gets_its_stored_verdict(loop: Loop, client_as: ClientAs) -> None:
    stored = client_as("viewer").get(
        f"/api/v1/projects/{loop.project_id}/verdicts", params={"limit": 90}
    )
    items = stored.json()["items"]
    assert len(items) == 90
    answer = score(client_as("scorer"), loop, *(each["fields"] for each in items)).json()
    assert answer["model_version"] == stored.json()["state"]["model_version"]
    for said, known in zip(answer["verdicts"], items, strict=True):
        for name in FIGURES:
            assert said[name] == pytest.approx(known[name], abs=1e-5), name
        assert [each["field"] for each in said["faulty_fields"]] == [
            each["field"] for each in known["faulty_fields"]
        ]
        assert all(each["reason"] for each in said["faulty_fields"])


def test_a_model_that_was_taken_along_says_the_same(
    loop: Loop, client_as: ClientAs, tmp_path: Path
) -> None:
    records = [fields_of(n) for n in range(200, 230)] + [{"title": "never seen"}, {}]
    live = score(client_as("scorer"), loop, *records).json()
    path = f"/api/v1/projects/{loop.project_id}/models/{live['model_version']}/download"
    packed = client_as("lead").get(path)
    assert packed.status_code == 200
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        archive.extractall(tmp_path)
    (config,) = tmp_path.rglob("model.json")
    for mine, said in zip(load_model(config.parent).score(records), live["verdicts"], strict=True):
        assert mine["grade"] == said["grade"]
        assert mine["probabilities"] == pytest.approx(said["probabilities"], abs=1e-5)
        assert mine["issue_probabilities"] == pytest.approx(said["issue_probabilities"], abs=1e-5)


def test_what_is_left_out_is_missing(loop: Loop, client_as: ClientAs) -> None:
    answer = score(
        client_as("scorer"),
        loop,
        {"title": "cotton shirt 5"},
        {"title": "cotton shirt 5", "price": ""},
    ).json()
    one, other = answer["verdicts"]
    assert one == other
    assert [each["field"] for each in one["faulty_fields"]] == ["price"]
    assert "empty" in one["faulty_fields"][0]["reason"]


def test_refusals_name_the_record_the_field_and_the_remedy(loop: Loop, client_as: ClientAs) -> None:
    with loop.services.database.transaction() as session:
        dataset = session.exec(select(Dataset)).one()
        dataset.types = {"price": "number"}
        session.add(dataset)
    client = client_as("scorer")
    unknown = score(client, loop, {"title": "a"}, {"colour": "red"})
    assert unknown.status_code == 422
    assert unknown.json()["field"] == "records.1.colour"
    assert "title" in unknown.json()["remedy"]
    wrong = score(client, loop, {"price": "cheap"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "records.0.price")
    assert "a number" in wrong.json()["detail"]
    assert score(client, loop).status_code == 422
    assert score(client, loop, *([{}] * 1_001)).status_code == 422
    assert score(client, loop, {"price": "12.5"}, {"price": 4}, {"price": None}).status_code == 200


def test_a_scorer_may_only_score_and_an_annotator_may_not(loop: Loop, client_as: ClientAs) -> None:
    scorer = client_as("scorer")
    assert score(scorer, loop, {}).status_code == 200
    for path in ("verdicts", "verdicts/export", "label-findings", "machine-labels"):
        assert scorer.get(f"/api/v1/projects/{loop.project_id}/{path}").status_code == 403
    assert scorer.post("/api/v1/datasets/1/records", json={"records": []}).status_code == 403
    assert not Principal("Ana", "annotator").may("scorer")


def test_many_at_once_get_what_each_gets_alone(loop: Loop, client_as: ClientAs) -> None:
    client = client_as("scorer")
    records = [{"title": f"steel kettle {n}", "price": f"{n}.50"} for n in range(60)]
    alone = [score(client, loop, each).json()["verdicts"][0] for each in records[:12]]
    found: dict[int, Any] = {}

    def ask(number: int) -> None:
        found[number] = score(client, loop, *records[number : number + 1 + 40 * (number == 3)])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, expected in enumerate(alone):
        answers = found[number].json()["verdicts"]
        assert len(answers) == (41 if number == 3 else 1)
        assert answers[0]["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)


def test_another_champion_answers_without_one_refusal(loop: Loop, client_as: ClientAs) -> None:
    client = client_as("scorer")
    assert score(client, loop, {"title": "x"}).json()["model_version"] == 1
    seen, statuses, is_over = set(), set(), threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            answer = score(client, loop, {"title": "x"})
            statuses.add(answer.status_code)
            seen.add(answer.json()["model_version"])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        with loop.services.database.transaction() as session:
            registry = RegistryService(session, loop.clock)
            first = registry.champion(loop.project_id)
            assert first is not None
            copy = type(first)(
                **{**first.model_dump(exclude={"id"}), "number": 2, "fingerprint": "again"}
            )
            session.add(copy)
            session.flush()
            registry.decide(copy, promote=True, reason="better", evidence={}, decided_by="test")
        for _ in range(200):
            if 2 in seen:
                break
            threading.Event().wait(0.05)
    finally:
        is_over.set()
        thread.join()
    assert statuses == {200}
    assert seen <= {1, 2}
    assert 2 in seen


def test_records_are_taken_once_and_judged_at_once(loop: Loop, client_as: ClientAs) -> None:
    client = client_as("service")
    body = {
        "records": [
            {"external_id": "0", "fields": {"title": "steel kettle 0", "price": "10.50"}},
            {"external_id": "1", "fields": {"title": "another", "price": ""}},
            {"external_id": "new", "fields": {"title": "steel kettle", "price": 12}},
        ]
    }
    path = "/api/v1/datasets/1/records"
    first = client.post(path, params={"score": True}, json=body).json()
    assert (first["new"], first["changed"], first["unchanged"]) == (1, 1, 1)
    assert len(first["score"]["verdicts"]) == 3
    again = client.post(path, json=body).json()
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 3)
    assert again["record_ids"] == first["record_ids"]
    with loop.services.database.reading() as session:
        row = session.exec(
            select(Record).where(Record.external_id == "new", col(Record.is_current))
        ).one()
    assert row.fields == {"title": "steel kettle", "price": 12}
    assert row.id == first["record_ids"][2]
    assert refresh(loop)["judged"] == 2


@pytest.mark.parametrize(
    ("records", "field"),
    [
        ([{"external_id": "a", "fields": {"weight": 3}}], "records.0.weight"),
        ([{"external_id": " ", "fields": {}}], "records.0.external_id"),
        ([{"external_id": "a", "fields": {"title": "\x00"}}], "records.0.title"),
        (
            [{"external_id": "a", "fields": {}}, {"external_id": "a", "fields": {}}],
            "records.1.external_id",
        ),
    ],
)
def test_nothing_is_taken_where_one_record_is_refused(
    loop: Loop, client_as: ClientAs, records: list[Any], field: str
) -> None:
    body = {"records": [{"external_id": "fine", "fields": {}}, *records]}
    answer = client_as("engineer").post("/api/v1/datasets/1/records", json=body)
    assert answer.status_code == 422
    place = int(field.split(".")[1]) + 1
    assert answer.json()["field"] == f"records.{place}.{field.split('.', 2)[2]}"
    with loop.services.database.reading() as session:
        assert session.exec(select(Record).where(Record.external_id == "fine")).first() is None
