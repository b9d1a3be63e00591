import json
import logging
from typing import Annotated

import pytest
from fastapi import FastAPI, Form
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, text

from backend.core.exceptions import ConfigurationError, InvalidInput, StorageFull
from backend.core.logging import JsonFormatter, log_context
from backend.core.middleware import RequestContext
from backend.core.problems import install_problem_handlers
from tests.backend.conftest import ClientAs

SECRET = "hunter2-hunter2"


class Body(BaseModel):
    name: str
    size: int = Field(ge=1)


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    install_problem_handlers(app)
    app.add_middleware(RequestContext)

    @app.get("/unexpected")
    def unexpected() -> None:
        raise RuntimeError(f"password={SECRET}")

    @app.get("/configuration")
    def configuration() -> None:
        raise ConfigurationError(f"ASSAY_TOKEN {SECRET} is weak")

    @app.get("/invalid")
    def invalid() -> None:
        raise InvalidInput("Too long.", field="title", value="x" * 5000, remedy="Shorten it.")

    @app.get("/full")
    def full() -> None:
        raise StorageFull("No space left in models.")

    @app.get("/twice")
    def twice(number: int) -> None:
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE t (a INTEGER UNIQUE CHECK (a < 9))"))
            connection.execute(text("INSERT INTO t VALUES (1)"))
            connection.execute(text(f"INSERT INTO t VALUES ({number})"))

    @app.post("/body")
    def body(body: Body) -> None: ...

    @app.post("/form")
    def form(password: Annotated[str, Form(max_length=3)]) -> None: ...

    return TestClient(app, raise_server_exceptions=False)


def test_an_unexpected_error_tells_nothing_of_the_inside(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.get("/unexpected")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert SECRET not in answer.text
    assert SECRET in caplog.text
    assert SECRET not in client.get("/configuration").text


def test_a_fact_names_field_value_and_remedy(client: TestClient) -> None:
    problem = client.get("/invalid").json()
    assert problem["type"] == "urn:assay:problem:invalid-input"
    assert (problem["title"], problem["status"]) == ("Invalid input", 422)
    assert (problem["detail"], problem["field"]) == ("Too long.", "title")
    assert problem["remedy"] == "Shorten it."
    assert len(problem["value"]) <= 200


def test_a_temporary_problem_says_when_to_come_back(client: TestClient) -> None:
    answer = client.get("/full")
    assert answer.status_code == 507
    assert answer.headers["retry-after"] == "10"


def test_validation_names_every_wrong_field(client: TestClient) -> None:
    problem = client.post("/body", json={"size": 0}).json()
    assert problem["status"] == 422
    assert [error["field"] for error in problem["errors"]] == ["name", "size"]
    assert problem["errors"][1]["value"] == 0
    assert problem["remedy"]


def test_what_another_request_made_meanwhile_is_a_conflict(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/twice", params={"number": 1})
    assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")
    assert answer.json()["remedy"]
    with caplog.at_level(logging.ERROR):
        assert client.get("/twice", params={"number": 10}).status_code == 500
    assert "CHECK constraint failed" in caplog.text


def test_broken_json_and_unknown_pages_are_problems_too(client: TestClient) -> None:
    broken = client.post("/body", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.json()["title"] == "Invalid input"
    assert client.get("/nowhere").json()["status"] == 404
    assert client.get("/body").json()["title"] == "Method not allowed"


def test_secrets_are_not_repeated(client: TestClient) -> None:
    answer = client.post("/form", data={"password": SECRET})
    assert answer.status_code == 422
    assert SECRET not in answer.text


def test_a_callers_request_id_is_kept_if_it_is_harmless(client: TestClient) -> None:
    kept = client.get("/full", headers={"X-Request-ID": "trace-1234"})
    assert kept.headers["x-request-id"] == kept.json()["request_id"] == "trace-1234"
    replaced = client.get("/full", headers={"X-Request-ID": "a\tb<script>"})
    assert "script" not in replaced.headers["x-request-id"]


def test_every_answer_carries_security_headers(client: TestClient) -> None:
    for path in ("/full", "/unexpected", "/nowhere"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


def test_log_lines_carry_the_enclosing_ids() -> None:
    record = logging.makeLogRecord({"msg": "trained on %d", "args": (3,), "levelname": "INFO"})
    record.project_id = 7
    with log_context(job_id="j1"), log_context(request_id="r1"):
        inside = json.loads(JsonFormatter().format(record))
    outside = json.loads(JsonFormatter().format(record))
    assert (inside["job_id"], inside["request_id"]) == ("j1", "r1")
    assert (inside["message"], inside["project_id"]) == ("trained on 3", 7)
    assert "job_id" not in outside


def test_half_a_character_in_what_was_sent_is_no_internal_error(client: TestClient) -> None:
    sent = rb'{"name": "x", "size": "\ud800 half"}'
    answer = client.post("/body", content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["value"] == "? half"


def test_half_a_character_that_reaches_the_store_is_refused(client_as: ClientAs) -> None:
    sent = rb'{"name": "Shop", "dataset": "\ud800 half"}'
    json_type = {"Content-Type": "application/json"}
    answer = client_as("admin").post("/api/v1/projects", content=sent, headers=json_type)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:assay:problem:invalid-input"
