import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlmodel import select

from backend.app import create_app
from backend.core.dependencies import SessionDep, Viewer
from backend.core.exceptions import Conflict
from backend.core.services import Services
from backend.models import AuditEvent, Dataset
from tests.backend.conftest import ClientAs

OPEN = {
    ("GET", "/health"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/webhooks/label-studio"),
}


def _routes(routes: Any) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from _routes(inner.routes)


def test_every_route_but_the_open_ones_refuses_a_stranger(app: FastAPI, client: TestClient) -> None:
    seen = set()
    for route in _routes(app.routes):
        path = re.sub(r"\{[^}]+\}", "1", route.path)
        for method in route.methods - {"HEAD"}:
            seen.add((method, route.path))
            if (method, route.path) in OPEN:
                continue
            answer = client.request(method, path)
            assert answer.status_code == 401, f"{method} {path} let a stranger in"
            wrong = client.request(method, path, headers={"Authorization": "Bearer assay_wrong"})
            assert wrong.status_code == 401, f"{method} {path} took a wrong key"
    assert len(seen) > 15
    assert {("GET", "/health"), ("POST", "/jobs/{job_id}/cancel")} <= seen


def test_roles_include_the_lower_ones(client_as: ClientAs) -> None:
    viewer, engineer, admin = client_as("viewer"), client_as("engineer"), client_as("admin")
    assert viewer.get("/api/v1/status").status_code == 200
    assert viewer.post("/api/v1/jobs/1/cancel").status_code == 403
    assert engineer.post("/api/v1/jobs/1/cancel").status_code == 404
    assert engineer.get("/api/v1/access/users").status_code == 403
    assert admin.get("/api/v1/access/users").status_code == 200


def test_a_revoked_key_opens_nothing(client_as: ClientAs) -> None:
    admin, other = client_as("admin"), client_as("viewer")
    prefix = other.headers["Authorization"].removeprefix("Bearer ")[:12]
    assert other.get("/api/v1/access/me").json() == {"name": "key:viewer", "role": "viewer"}
    assert admin.delete(f"/api/v1/access/keys/{prefix}").status_code == 200
    assert other.get("/api/v1/access/me").status_code == 401


class TestForgery:
    def test_a_form_without_token_is_refused(self, browser_as: ClientAs) -> None:
        browser = browser_as("engineer")
        assert browser.post("/jobs/1/cancel").status_code == 403
        assert browser.post("/jobs/1/cancel", data={"csrf_token": "x"}).status_code == 403

    def test_the_pages_own_form_passes(self, browser_as: ClientAs) -> None:
        browser = browser_as("engineer")
        assert browser.post("/jobs/1/cancel", data=_token(browser)).status_code == 404
        header = {"X-CSRF-Token": _token(browser)["csrf_token"]}
        assert browser.post("/jobs/1/cancel", headers=header).status_code == 404

    def test_another_site_is_refused_even_with_the_token(self, browser_as: ClientAs) -> None:
        browser = browser_as("engineer")
        answer = browser.post(
            "/jobs/1/cancel", data=_token(browser), headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403

    def test_an_unusable_authorization_header_does_not_switch_the_check_off(
        self, browser_as: ClientAs
    ) -> None:
        browser = browser_as("engineer")
        answer = browser.post("/jobs/1/cancel", headers={"Authorization": "Basic eDp5"})
        assert answer.status_code in (401, 403)

    def test_the_token_of_one_login_is_no_good_for_another(self, browser_as: ClientAs) -> None:
        token = _token(browser_as("lead"))
        assert browser_as("engineer").post("/jobs/1/cancel", data=token).status_code == 403


class TestTransaction:
    @pytest.fixture
    def writer(self, services: Services, client_as: ClientAs) -> Iterator[TestClient]:
        app = create_app(services)

        @app.post("/write")
        def write(session: SessionDep, _p: Viewer, fail: bool = False) -> None:
            session.add(_dataset(services))
            session.flush()
            if fail:
                raise Conflict("no")

        @app.post("/write-twice")
        def write_twice(session: SessionDep, _p: Viewer) -> dict[str, str]:
            session.add(_dataset(services))
            session.add(_dataset(services))  # breaks the unique name when flushed: at commit
            return {"status": "done"}

        @app.get("/write-in-get")
        def write_in_get(session: SessionDep, _p: Viewer) -> None:
            session.add(_dataset(services))
            session.flush()

        key = client_as("viewer").headers["Authorization"]
        with TestClient(app, headers={"Authorization": key}) as client:
            yield client

    def test_it_commits_when_the_handler_ends_well(
        self, writer: TestClient, services: Services
    ) -> None:
        assert writer.post("/write").status_code == 200
        assert _count(services) == 1

    def test_it_rolls_back_when_the_handler_raises(
        self, writer: TestClient, services: Services
    ) -> None:
        assert writer.post("/write?fail=true").status_code == 409
        assert _count(services) == 0

    def test_a_commit_that_fails_is_not_answered_with_success(
        self, writer: TestClient, services: Services
    ) -> None:
        answer = writer.post("/write-twice")
        assert answer.status_code == 409
        assert "UNIQUE" not in answer.text
        assert _count(services) == 0

    def test_a_get_keeps_nothing(self, writer: TestClient, services: Services) -> None:
        writer.get("/write-in-get")
        assert _count(services) == 0


def test_many_writers_at_once_do_not_block_each_other(
    services: Services, client_as: ClientAs
) -> None:
    admin = client_as("admin")
    codes: list[int] = []

    def create(number: int) -> None:
        body = {"name": f"key {number}", "role": "viewer"}
        codes.append(admin.post("/api/v1/access/keys", json=body).status_code)

    threads = [threading.Thread(target=create, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(25)
    assert codes == [201] * 60
    with services.database.reading() as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "api_key.created"))
        assert len(events.all()) == 61


def _token(browser: TestClient) -> dict[str, str]:
    page = browser.get("/").text
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
    assert found
    return {"csrf_token": found[1]}


def _dataset(services: Services) -> Dataset:
    return Dataset(name="shop", kind="product", fields=[], created_at=services.clock())


def _count(services: Services) -> int:
    with services.database.reading() as session:
        return len(session.exec(select(Dataset)).all())
