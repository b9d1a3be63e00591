"""A loop with verdicts of its first champion, and what a Label Studio would ask about it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from backend.access.service import AccessService
from backend.models import Record, Task
from backend.projects.service import label_schema_of
from labeling.label_studio.label_config import build_label_config
from labeling.label_studio.tasks import build_task_data
from tests.backend.scoring.conftest import judged, loop, new_loop, services
from tests.backend.training.loop import Loop

__all__ = ["judged", "loop", "new_loop", "services"]

Data = Mapping[str, Any]
Ask = Callable[..., list[Any]]


@pytest.fixture
def pushed(loop: Loop) -> list[tuple[Task, Record]]:
    """The tasks of the first round with their records, most useful first."""
    with loop.services.database.reading() as session:
        records = {row.id: row for row in session.exec(select(Record))}
    return [(task, records[task.record_id]) for task in loop.tasks(1)]


@pytest.fixture
def data_of(loop: Loop) -> Callable[[Task, Record], Data]:
    """A task's data as a push sends them."""
    schema = label_schema_of(loop.project())
    return lambda task, record: build_task_data(task.key, record.external_id, record.fields, schema)


@pytest.fixture
def key(loop: Loop) -> str:
    """Of a scorer."""
    with loop.services.database.transaction() as session:
        return AccessService(session, loop.clock).create_key("ls", "scorer", actor="test").key


@pytest.fixture
def backend(app: FastAPI, loop: Loop, key: str) -> TestClient:
    """What Label Studio sends its requests with: the key of a scorer as the password."""
    client = TestClient(app, base_url=f"http://testserver/ml/projects/{loop.project_id}")
    client.auth = ("label-studio", key)
    return client


@pytest.fixture
def ask(backend: TestClient, loop: Loop) -> Ask:
    """The entries that come back for tasks with these data, on our own screen."""
    screen = build_label_config(label_schema_of(loop.project()))

    def send(*data: Data, label_config: str = screen) -> list[Any]:
        answer = backend.post(
            "/predict",
            json={
                "tasks": [{"id": 100 + place, "data": each} for place, each in enumerate(data)],
                "project": "27.1795230767",
                "label_config": label_config,
                "params": {"login": None, "password": None, "context": None},
            },
        )
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert len(results) == len(data)
        return list(results)

    return send
