"""Against the real Label Studio: push once, find every change, say clearly what went wrong."""

import os
import socket
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest

from labeling.exceptions import (
    LabelStudioNotStarted,
    LabelStudioRefused,
    LabelStudioUnavailable,
    PushInterrupted,
)
from labeling.label_schema import LabelSchema
from labeling.label_studio.account import Account, ensure_annotator, login
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.server import LabelStudioServer, listens, stop_process
from labeling.label_studio.sync import (
    TaskSnapshot,
    changes_since,
    missing_tasks,
    push_tasks,
    with_predictions,
)
from labeling.label_studio.tasks import build_task_data
from labeling.label_studio.webhooks import SECRET_HEADER, AnnotationChanged, parse_event
from tests.fixtures.label_studio import PASSWORD, ProjectFactory, on_another_port, server_on

pytestmark = pytest.mark.label_studio

SCHEMA = LabelSchema.default(["title", "price"])
RECORD = {"title": "红色 red <b>cup</b> 😀", "price": None}


def items(count: int, *, start: int = 0, grade: str = "fair") -> list[dict[str, Any]]:
    suggestion = Suggestion(grade, 0.7, "v1", {"missing_value": 0.8}, {"price": 0.9})
    return [
        {
            "data": build_task_data(f"key-{number}", f"r{number}", RECORD, SCHEMA),
            "predictions": [build_prediction(suggestion, RECORD, SCHEMA)],
        }
        for number in range(start, start + count)
    ]


def held(client: LabelStudioClient, project: int, **options: Any) -> dict[int, TaskSnapshot]:
    parts = changes_since(client, project, None, SCHEMA, **options)
    return {snapshot.task_id: snapshot for part in parts for snapshot in part}


class LosesAnswers(httpx.BaseTransport):
    """Lets requests through, then loses the answer of the chosen imports: the server worked."""

    def __init__(self, losing: set[int], status: int | None) -> None:
        self._inner = httpx.HTTPTransport()
        self._losing, self._status = losing, status
        self._imports = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if not request.url.path.endswith("/import"):
            return answer
        self._imports += 1
        if self._imports not in self._losing:
            return answer
        answer.read()
        if self._status is None:
            raise httpx.ReadTimeout("lost on the way", request=request)
        return httpx.Response(self._status, request=request)


@pytest.mark.parametrize("status", [None, 500], ids=["time-out", "500"])
def test_a_push_whose_answer_is_lost_makes_no_second_task(
    label_studio_client: LabelStudioClient,
    label_studio_project: ProjectFactory,
    status: int | None,
) -> None:
    project = label_studio_project(SCHEMA)
    tasks = items(1_100)
    losing = LabelStudioClient(
        label_studio_client.url, label_studio_client.token, transport=LosesAnswers({2}, status)
    )
    with pytest.raises(PushInterrupted) as caught:
        push_tasks(losing, project, tasks)
    assert len(caught.value.pushed) == 500
    ids = push_tasks(label_studio_client, project, tasks)
    assert label_studio_client.count_tasks(project) == len(set(ids.values())) == 1_100
    assert push_tasks(label_studio_client, project, tasks) == ids
    keys = [task["data"]["assay_key"] for task in tasks]
    assert sorted(keys, key=ids.__getitem__) == keys, "tasks keep their order"
    assert label_studio_client.model_versions(project) == {"v1": 1_100}


def test_one_key_is_one_task_however_long_odd_or_repeated(
    label_studio_client: LabelStudioClient, label_studio_project: ProjectFactory
) -> None:
    project = label_studio_project(SCHEMA)
    odd = ['q"x', "a,b", "键" * 150, "😀", "x'y", "a&b=c#d", "back\\slash", " 1 "]
    keys = [*odd, *(f"{number}-{'k' * 150}" for number in range(300)), *odd]
    tasks = [{"data": build_task_data(key, key, RECORD, SCHEMA)} for key in keys]
    ids = push_tasks(label_studio_client, project, tasks)
    assert push_tasks(label_studio_client, project, tasks) == ids
    assert label_studio_client.count_tasks(project) == len(ids) == 308


def test_of_surplus_tasks_the_first_counts_and_the_log_names_the_rest(
    label_studio_client: LabelStudioClient,
    label_studio_project: ProjectFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    project = label_studio_project(SCHEMA)
    first = label_studio_client.import_tasks(project, items(2))
    again = label_studio_client.import_tasks(project, items(2))
    assert list(push_tasks(label_studio_client, project, items(2)).values()) == first
    assert str(again) in caplog.text


def test_a_prediction_outside_the_config_is_refused_with_the_reason(
    label_studio_client: LabelStudioClient, label_studio_project: ProjectFactory
) -> None:
    project = label_studio_project(SCHEMA)
    with pytest.raises(LabelStudioRefused, match="400"):
        push_tasks(label_studio_client, project, items(2, grade="excellent"))
    assert label_studio_client.count_tasks(project) == 0


def test_every_kind_of_change_is_found(
    label_studio_client: LabelStudioClient,
    annotator_clients: list[LabelStudioClient],
    label_studio_project: ProjectFactory,
) -> None:
    project = label_studio_project(SCHEMA, maximum_annotations=2)
    ids = list(push_tasks(label_studio_client, project, items(6)).values())
    ada, bo, _ = annotator_clients
    answer = Answer("poor", ("duplicate",), ("price",), {"price": "3"}, "太贵")
    made = ada.create_annotation(ids[0], {"result": build_result(answer, RECORD, SCHEMA)})
    ada.create_annotation(ids[1], {"result": [], "was_cancelled": True})
    doomed = bo.create_annotation(ids[2], {"result": "not a list of regions"[:0] or []})
    first = held(label_studio_client, project)
    assert first[ids[0]].annotations[0].corrected_values == {"price": "3"}
    assert first[ids[0]].annotations[0].rationale == "太贵"
    assert first[ids[1]].annotations[0].was_cancelled
    cursor = max(snapshot.updated_at for snapshot in first.values())

    better = replace(answer, grade="good", faulty_fields=(), corrected_values={})
    bo.update_annotation(made["id"], {"result": build_result(better, RECORD, SCHEMA)})
    bo.delete_annotation(doomed["id"])
    parts = changes_since(label_studio_client, project, cursor + timedelta(microseconds=1), SCHEMA)
    changed = {snapshot.task_id: snapshot for part in parts for snapshot in part}
    assert set(changed) == {ids[0], ids[2]}
    updated = changed[ids[0]].annotations[0]
    assert (updated.grade, updated.annotator_id != updated.updated_by) == ("good", True)
    assert changed[ids[2]].annotations == ()

    label_studio_client.delete_task(ids[5])
    assert missing_tasks(label_studio_client, project, ids) == [ids[5]]
    (seen,) = with_predictions(label_studio_client, project, [changed[ids[0]]], ids[:2])
    assert seen.annotations[0].prediction_snapshot is not None
    assert seen.annotations[0].prediction_snapshot["model_version"] == "v1"


def test_projects_and_webhooks_are_made_once(
    label_studio_client: LabelStudioClient,
    annotator_clients: list[LabelStudioClient],
    label_studio_project: ProjectFactory,
) -> None:
    project = label_studio_project(SCHEMA)
    marker = label_studio_client.get_project(project)["description"]
    assert label_studio_client.find_project(marker) == project
    assert label_studio_client.find_project("no such marker") is None
    with _receiver() as (url, bodies):
        for secret in ("old", "new", "new"):
            label_studio_client.upsert_webhook(project, url=url, headers={SECRET_HEADER: secret})
        task = push_tasks(label_studio_client, project, items(1))["key-0"]
        result = build_result(Answer("fair"), RECORD, SCHEMA)
        annotator_clients[0].create_annotation(task, {"result": result})
    events = [(secret, parse_event(body, schema=SCHEMA)) for secret, body in bodies]
    changed = [(secret, e) for secret, e in events if isinstance(e, AnnotationChanged)]
    assert [(secret, e.annotations[0].grade) for secret, e in changed] == [("new", "fair")]
    assert changed[0][1].project_id == project


def test_annotators_can_log_in_with_their_password_only(
    label_studio: LabelStudioServer, accounts: list[Account]
) -> None:
    account = accounts[0]
    again = ensure_annotator(label_studio.url, label_studio.token, account.email, PASSWORD)
    assert again == account
    login(label_studio.url, account.email, PASSWORD).close()
    with pytest.raises(LabelStudioRefused, match=account.email):
        login(label_studio.url, account.email, "wrong password")
    with pytest.raises(LabelStudioRefused, match="another password"):
        ensure_annotator(label_studio.url, label_studio.token, account.email, "Another-1!")


def test_faults_are_told_apart(label_studio: LabelStudioServer, tmp_path: Path) -> None:
    with pytest.raises(LabelStudioRefused, match=r"401.*ASSAY_LABEL_STUDIO_TOKEN"):
        LabelStudioClient(label_studio.url, "f" * 40).users()
    away = on_another_port(label_studio)
    with pytest.raises(LabelStudioUnavailable, match="gave no answer") as caught:
        LabelStudioClient(away.url, "f" * 40).users()
    assert len(str(caught.value)) < 300
    with pytest.raises(LabelStudioNotStarted, match=f"Port {label_studio.port}"):
        replace(label_studio, data_dir=tmp_path).start()
    with pytest.raises(LabelStudioNotStarted, match="not installed"):
        replace(away, executable=tmp_path / "nothing", data_dir=tmp_path).start()


@pytest.mark.slow
def test_a_server_on_existing_data_takes_its_token_or_says_why_not(tmp_path: Path) -> None:
    server = server_on(tmp_path / "data")
    pid = server.start()
    try:
        with closing(login(server.url, server.email, server.password)) as admin:
            headers = {"X-CSRFToken": admin.cookies["csrftoken"], "Referer": server.url}
            settings = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False}
            admin.post("/api/jwt/settings", json=settings, headers=headers).raise_for_status()
        with pytest.raises(LabelStudioRefused, match="401"):
            LabelStudioClient(server.url, server.token).users()
    finally:
        stop_process(pid)
    pid = server.start()
    try:
        assert LabelStudioClient(server.url, server.token).users()
    finally:
        stop_process(pid)
    with pytest.raises(LabelStudioNotStarted, match=r"another API token.*ASSAY_LABEL_STUDIO_TOKEN"):
        replace(server, token="e" * 40).start()
    assert not server.is_up()


def test_a_token_that_was_reset_is_told_from_one_that_works(
    label_studio: LabelStudioServer,
) -> None:
    label_studio.check_token()
    with pytest.raises(LabelStudioNotStarted, match="than ASSAY_LABEL_STUDIO_TOKEN says"):
        replace(label_studio, token="e" * 40).check_token()
    with pytest.raises(LabelStudioRefused, match="ASSAY_LABEL_STUDIO_TOKEN is not"):
        LabelStudioClient(label_studio.url, "e" * 40).users()


def test_its_process_knows_no_proxy(
    label_studio: LabelStudioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    environment = label_studio.environment()
    assert {name: value for name, value in environment.items() if "proxy" in name.lower()} == {
        "NO_PROXY": "*",
        "no_proxy": "*",
    }


def test_who_listens_on_a_port_is_known(label_studio: LabelStudioServer) -> None:
    assert not listens(os.getpid(), label_studio.port)
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        port = ours.getsockname()[1]
        assert not listens(os.getpid(), port)
        ours.listen()
        assert listens(os.getpid(), port)


class _receiver:
    """A web server that keeps what it gets."""

    bodies: ClassVar[list[tuple[str, bytes]]]

    def __enter__(self) -> tuple[str, list[tuple[str, bytes]]]:
        bodies: list[tuple[str, bytes]] = []

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                bodies.append((self.headers[SECRET_HEADER], self.rfile.read(size)))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Keep)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/webhooks/label-studio", bodies

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
