"""The real Label Studio, connected by hand, fetches what we say and stores it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from backend.models import Record, Task
from backend.projects.service import label_schema_of
from backend.scoring.service import Verdicts
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.server import LabelStudioServer, free_port
from tests.backend.ml_backend.conftest import Data
from tests.backend.training.loop import Loop
from tests.fixtures.label_studio import ProjectFactory

pytestmark = pytest.mark.label_studio


@pytest.fixture
def address(app: FastAPI, loop: Loop) -> Iterator[str]:
    """Where the application is served: the project's address for an ML backend."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=free_port(), log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.config.port}/ml/projects/{loop.project_id}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def api(label_studio: LabelStudioServer) -> Iterator[httpx.Client]:
    """Label Studio's API as its admin."""
    headers = {"Authorization": f"Token {label_studio.token}"}
    with httpx.Client(
        base_url=label_studio.url, headers=headers, timeout=120, trust_env=False
    ) as client:
        yield client


def test_predictions_are_fetched_and_audit_tasks_stay_without(
    address: str,
    api: httpx.Client,
    key: str,
    loop: Loop,
    pushed: list[tuple[Task, Record]],
    data_of: Callable[[Task, Record], Data],
    label_studio_client: LabelStudioClient,
    label_studio_project: ProjectFactory,
) -> None:
    place = label_studio_project(label_schema_of(loop.project()))
    ids = label_studio_client.import_tasks(place, [{"data": data_of(*each)} for each in pushed])
    body = {
        "project": place,
        "url": address,
        "title": "Assay",
        "auth_method": "BASIC_AUTH",
        "basic_auth_user": "label-studio",
        "basic_auth_pass": "assay_wrong",
    }
    refused = api.post("/api/ml", json=body)
    assert refused.status_code == 400
    assert "authentication parameters" in refused.text
    connected = api.post("/api/ml", json={**body, "basic_auth_pass": key})
    assert connected.status_code == 201, connected.text

    fetch = {"selectedItems": {"all": True, "excluded": []}}
    for _ in range(2):  # a repeat adds nothing
        answer = api.post(
            "/api/dm/actions",
            params={"id": "retrieve_tasks_predictions", "project": place},
            json=fetch,
        )
        assert answer.status_code == 200, answer.text
    (state,) = api.get("/api/ml", params={"project": place}).json()
    assert (state["readable_state"], state["model_version"]) == ("Connected", "v1")

    listed = api.get("/api/predictions", params={"project": place}).json()
    stored: dict[int, Any] = {each["task"]: each for each in listed}
    assert len(stored) == len(listed), "one a task"
    shown = {
        task_id: record
        for task_id, (task, record) in zip(ids, pushed, strict=True)
        if not task.is_audit
    }
    assert stored.keys() == shown.keys(), "audit tasks have none"
    assert len(shown) < len(pushed)
    with loop.services.database.reading() as session:
        verdicts = Verdicts(session, loop.services).of_records(
            loop.project(), [record.id for record in shown.values()]
        )
    for task_id, record in shown.items():
        prediction, verdict = stored[task_id], verdicts[record.id]
        assert prediction["model_version"] == "v1"
        assert prediction["score"] == pytest.approx(verdict.confidence)
        assert prediction["result"][0]["value"] == {"choices": [verdict.grade]}
        marks = [each for each in prediction["result"] if each["from_name"] == "faulty"]
        assert len(marks) == len(verdict.faulty_fields)
