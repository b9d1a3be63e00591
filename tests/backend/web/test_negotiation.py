"""Who asks for JSON is told in JSON what is wrong, and who looks at pages on a page."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from httpx import Response

from backend.core.services import Services
from backend.web.negotiation import PROGRAM_PATHS
from backend.web.openapi import openapi_document
from tests.backend.conftest import PASSWORD, ClientAs

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGE, PROBLEM = "text/html; charset=utf-8", "application/problem+json"
CALLERS = {
    "a browser": ({"Accept": BROWSER}, PAGE),
    "HTMX": ({"Accept": "*/*", "HX-Request": "true"}, PAGE),
    "who reads both alike": ({"Accept": "application/json, text/html"}, PAGE),
    "a program": ({"Accept": "application/json"}, PROBLEM),
    "a program that knows problems": ({"Accept": PROBLEM}, PROBLEM),
    "who prefers JSON": ({"Accept": "text/html;q=0.5, application/json"}, PROBLEM),
    "who refuses HTML": ({"Accept": "text/html;q=0"}, PROBLEM),
    "who takes anything": ({"Accept": "*/*"}, PROBLEM),
    "who says nothing": ({"Accept": ""}, PROBLEM),
}


@pytest.fixture(params=CALLERS)
def caller(request: pytest.FixtureRequest) -> tuple[dict[str, str], str]:
    """What a caller sends, and what it gets where it looks at pages."""
    return CALLERS[request.param]


def addresses(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Every route with its method, its path, and an address at which there is nothing."""
    for route in iter_route_contexts(app.routes):
        for method in sorted(route.methods or ()):
            path = str(route.path)
            yield method, path, re.sub(r"\{[^}]+\}", "987", path)


def expected(path: str, wanted: str) -> str:
    return PROBLEM if path.startswith(PROGRAM_PATHS) else wanted


def assert_answered_in(wanted: str, answer: Response, what: str) -> None:
    assert answer.status_code < 500, what
    if answer.status_code < 400 or "hx-redirect" in answer.headers:
        return
    assert answer.headers["content-type"] == wanted, f"{what}: {answer.status_code}"
    if wanted == PROBLEM:
        assert answer.json()["status"] == answer.status_code


def test_programs_ask_where_the_document_says(app: FastAPI) -> None:
    assert all(path.startswith(PROGRAM_PATHS) for path in openapi_document(app)["paths"])


@pytest.mark.parametrize("who", ["a browser", "HTMX", "a program", "who takes anything"])
def test_every_refusal_is_in_the_callers_form(
    app: FastAPI, client_as: ClientAs, client: TestClient, who: str
) -> None:
    headers, wanted = CALLERS[who]
    seen: set[int] = set()
    for sender in (client, client_as("viewer"), client_as("admin")):
        for method, path, address in addresses(app):
            for asked in (method, "PUT"):
                what = f"{asked} {address}"
                answer = sender.request(asked, address, headers=headers)
                assert_answered_in(expected(path, wanted), answer, what)
                seen.add(answer.status_code)
    assert seen >= {401, 403, 404, 405, 422}


@pytest.mark.parametrize("address", ["/nowhere", "/static/nothing.css", "/projects/none"])
def test_an_unknown_address(
    client_as: ClientAs, caller: tuple[dict[str, str], str], address: str
) -> None:
    headers, wanted = caller
    answer = client_as("admin").get(address, headers=headers)
    assert answer.status_code in (404, 422)
    assert_answered_in(wanted, answer, address)


def test_a_form_that_is_refused(client: TestClient, caller: tuple[dict[str, str], str]) -> None:
    headers, wanted = caller
    for attempt in range(6):
        answer = client.post("/login", data={"email": "ana", "password": "x"}, headers=headers)
        assert answer.status_code == (401 if attempt < 5 else 429)
        assert_answered_in(wanted, answer, "/login")
    answer = client.post("/login", data={"email": "a" * 999}, headers=headers)
    assert answer.status_code == 422
    assert_answered_in(wanted, answer, "/login")


def test_forms_of_those_who_are_logged_in(
    browser_as: ClientAs, caller: tuple[dict[str, str], str]
) -> None:
    headers, wanted = caller
    browser = browser_as("admin")
    token = browser.get("/account").text.split('name="csrf_token" value="')[1][:64]
    headers = {**headers, "X-CSRF-Token": token}
    new = {"password": PASSWORD, "new_password": "short", "repeated": "short"}
    for address, form in (
        ("/account/password", new),
        ("/account/password", {**new, "password": "wrong"}),
        ("/users", {"email": "nobody", "role": "viewer"}),
        ("/users", {"email": "admin@example.org", "role": "viewer"}),
        ("/users/1/role", {"role": "viewer"}),
    ):
        answer = browser.post(address, data=form, headers=headers)
        assert answer.status_code in (409, 422)
        assert_answered_in(wanted, answer, address)


def test_who_is_not_logged_in(client: TestClient, caller: tuple[dict[str, str], str]) -> None:
    headers, wanted = caller
    answer = client.get("/jobs", headers=headers)
    if "HX-Request" in headers:
        assert answer.headers["hx-redirect"] == "/login?next=/jobs"
    elif wanted == PAGE:
        assert answer.headers["location"] == "/login?next=/jobs"
    else:
        assert answer.status_code == 401
        assert answer.headers["content-type"] == PROBLEM
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("address", ["/jobs", "/api/v1/jobs"])
def test_what_is_unexpected(
    client_as: ClientAs,
    services: Services,
    caller: tuple[dict[str, str], str],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError("a secret")

    headers, wanted = caller
    viewer = client_as("viewer")
    monkeypatch.setattr("backend.overview.job_overview.JobOverview.jobs", fail)
    answer = viewer.get(address, headers=headers)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == expected(address, wanted)
    assert answer.headers["x-frame-options"] == "DENY"
    assert "a secret" not in answer.text
