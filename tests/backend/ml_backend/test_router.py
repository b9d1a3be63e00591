"""Who may ask, and what Label Studio gets to hear before it asks."""

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlmodel import select

from backend.loop.job_names import SYNC
from backend.models import Job
from labeling.label_studio.webhooks import SECRET_HEADER
from tests.backend.conftest import ClientAs
from tests.backend.training.loop import Loop

ROUTES = (("GET", "health"), ("POST", "setup"), ("POST", "predict"), ("POST", "webhook"))


def jobs(loop: Loop) -> list[str]:
    """Names of all jobs that there are."""
    with loop.services.database.reading() as session:
        return list(session.exec(select(Job.name)))


def test_health_and_setup(backend: TestClient) -> None:
    assert backend.get("/health").json() == {"status": "UP"}
    body = {"project": "27.1", "schema": "<View/>", "hostname": "x", "access_token": "secret"}
    assert backend.post("/setup", json=body).json() == {"model_version": "v1"}


def test_setup_reads_no_model(backend: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a model was read")

    monkeypatch.setattr("backend.scoring.live_scorer.load_model_version", refuse)
    monkeypatch.setattr("backend.scoring.service.signals_of", refuse)
    assert backend.post("/setup", json={}).status_code == 200


def test_nothing_but_a_key_as_the_password_opens(
    backend: TestClient, client_as: ClientAs, browser_as: ClientAs, loop: Loop
) -> None:
    key, admin, lead = backend.auth, client_as("admin"), browser_as("lead")
    for method, route in ROUTES:
        backend.auth = None
        address = f"/ml/projects/{loop.project_id}/{route}"
        assert backend.request(method, f"/{route}").status_code == 401
        wrong = backend.request(method, f"/{route}", auth=("label-studio", "assay_wrong"))
        assert wrong.status_code == 401
        assert "Basic Authentication" in wrong.json()["remedy"]
        assert backend.request(method, f"/{route}", auth=("", "")).status_code == 401
        assert admin.request(method, address).status_code == 401
        as_lead = lead.request(method, address, headers={"Accept": "application/json"})
        assert as_lead.status_code == 401
        backend.auth = key
        assert backend.request(method, f"/{route}").status_code in (200, 201, 422)


def test_a_project_that_is_not_there(backend: TestClient) -> None:
    backend.base_url = "http://testserver/ml/projects/99"
    assert backend.get("/health").status_code == 404
    assert backend.post("/setup").status_code == 404
    assert backend.post("/predict", json={"tasks": []}).status_code == 404
    assert backend.post("/webhook").status_code == 404


def test_a_body_that_is_no_request(backend: TestClient) -> None:
    answer = backend.post("/predict", content=b"{")
    assert answer.status_code == 422
    assert answer.json()["field"] == "body"


def test_the_training_button_brings_a_sync_and_no_training(backend: TestClient, loop: Loop) -> None:
    before = jobs(loop)
    for _ in range(2):
        answer = backend.post("/webhook", json={"action": "START_TRAINING", "project": {"id": 3}})
        assert answer.status_code == 201
        assert "job" not in answer.json(), "Label Studio would ask how it goes"
    assert sorted(jobs(loop)) == sorted([*before, SYNC]), "once, and nothing else"


def test_events_come_with_the_secret_of_the_webhook(backend: TestClient, loop: Loop) -> None:
    backend.auth = None
    loop.services.settings.webhook_secret = SecretStr("a webhook secret for the tests")
    event = {"action": "ANNOTATION_CREATED"}
    assert backend.post("/webhook", json=event).status_code == 401
    secret = {SECRET_HEADER: "a webhook secret for the tests"}
    assert backend.post("/webhook", json=event, headers=secret).status_code == 201
    assert jobs(loop).count(SYNC) == 1
    assert backend.post("/predict", json={"tasks": []}, headers=secret).status_code == 401
