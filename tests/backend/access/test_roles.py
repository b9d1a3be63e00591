"""What an annotator reaches, and what each role includes: walked over every route."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from backend.access.service import AccessService
from backend.core.exceptions import InvalidInput
from backend.core.security import KEY_ROLES, ROLES, USER_ROLES, Principal
from backend.core.services import Services
from tests.backend.conftest import PASSWORD, ClientAs
from tests.backend.core.test_dependencies import OPEN
from tests.backend.overview.store import fill

OWN = {
    ("GET", "/my-work"),
    ("GET", "/api/v1/my-work"),
    ("GET", "/account"),
    ("GET", "/account/changed"),
    ("GET", "/account/password"),
    ("POST", "/account/password"),
    ("POST", "/account/log-out-everywhere"),
    ("POST", "/logout"),
    ("GET", "/api/v1/access/me"),
    ("GET", "/projects/{project_id}/guideline"),
    ("GET", "/api/v1/projects/{project_id}/guideline"),
}
"""All that an annotator may do here: their own work and account, and the guideline."""


def routes(found: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in found:
        if isinstance(route, APIRoute):
            for method in route.methods - {"HEAD"}:
                yield method, prefix + route.path
        elif inner := getattr(route, "original_router", None):
            yield from routes(inner.routes, prefix)


def token_of(browser: TestClient) -> str:
    return browser.get("/account").text.split('name="csrf_token" value="')[1][:64]


@pytest.fixture
def annotator(browser_as: ClientAs) -> TestClient:
    return browser_as("annotator")


def test_an_annotator_reaches_only_their_own_work(
    app: FastAPI, annotator: TestClient, services: Services
) -> None:
    with services.database.transaction() as session:
        assert fill(session, services.clock()) == 1  # what the addresses below name is there
    token = token_of(annotator)
    annotator.headers["X-CSRF-Token"] = token
    reached = set()
    for method, path in sorted(set(routes(app.routes)) - OPEN):
        if (method, path) in {("POST", "/logout"), ("POST", "/account/log-out-everywhere")}:
            reached.add((method, path))
            continue
        address = re.sub(r"\{[^}]+\}", "1", path)
        answer = annotator.request(method, address, follow_redirects=True)
        if answer.status_code != 403 and answer.url.path != "/login":  # no login opens it
            assert answer.status_code in (200, 404, 422), f"{method} {path}: {answer.status_code}"
            reached.add((method, path))
    assert reached == OWN


def test_an_annotator_begins_at_their_own_work(
    client: TestClient, annotator: TestClient, services: Services
) -> None:
    data = {"email": "annotator@example.org", "password": PASSWORD}
    assert client.post("/login", data=data).headers["location"] == "/my-work"
    asked = client.post("/login", data={**data, "next": "/projects/1/guideline"})
    assert asked.headers["location"] == "/projects/1/guideline"
    page = annotator.get("/my-work").text
    navigation = page.split("<nav", 1)[1].split("</nav>", 1)[0]
    assert re.findall(r'href="([^"]+)"', navigation) == ["/my-work"]
    refused = annotator.get("/jobs")
    assert refused.status_code == 403
    assert 'href="/my-work"' in refused.text


def test_roles_include_those_before() -> None:
    order = ["annotator", "scorer", "viewer", "reviewer", "engineer", "service", "lead", "admin"]
    assert list(ROLES) == order
    for place, role in enumerate(ROLES):
        may = [other for other in ROLES if Principal("x", role).may(other)]
        assert may == order[: place + 1]


def test_people_and_programs_have_roles_of_their_own(services: Services) -> None:
    assert set(ROLES) - set(USER_ROLES) == {"service", "scorer"}
    assert set(ROLES) - set(KEY_ROLES) == {"annotator"}
    with services.database.transaction() as session:
        access = AccessService(session, services.clock)
        with pytest.raises(InvalidInput, match="user cannot have the role 'service'"):
            access.create_user("ana@example.org", "service", PASSWORD, actor="t")
        with pytest.raises(InvalidInput, match="key cannot have the role 'annotator'"):
            access.create_key("k", "annotator", actor="t")


def test_a_service_key_does_what_an_engineer_may_and_no_more(client_as: ClientAs) -> None:
    service = client_as("service")
    assert service.get("/api/v1/access/me").json()["role"] == "service"
    assert service.post("/api/v1/jobs/1/cancel").status_code == 404
    assert service.get("/api/v1/audit").status_code == 403
    assert service.get("/account").status_code == 403, "it has no password"
    assert service.get("/api/v1/my-work").json()["is_known"] is False


def test_a_number_that_no_store_can_hold_is_the_id_of_nothing(client_as: ClientAs) -> None:
    answer = client_as("viewer").get("/api/v1/projects/99999999999999999999")
    assert answer.status_code == 404
    assert answer.json()["title"] == "Not found"


def test_a_key_is_told_of_keys_and_a_person_of_roles(
    client_as: ClientAs, annotator: TestClient
) -> None:
    refused = client_as("viewer").get("/api/v1/audit").json()
    assert refused["remedy"] == "Use a key with that role; whoever runs the server makes keys."
    assert "Ask an administrator" in annotator.get("/api/v1/audit").json()["remedy"]
