"""One's own password, the end of logins, and the cookie in production."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.access.service import AccessService
from backend.app import create_app
from backend.core.services import Services
from tests.backend.access.test_roles import token_of
from tests.backend.conftest import PASSWORD, ClientAs

NEW = "quite another password"


def change(browser: TestClient, **values: str) -> "tuple[int, str]":
    data = {"password": PASSWORD, "new_password": NEW, "repeated": NEW, **values}
    answer = browser.post("/account/password", data={**data, "csrf_token": token_of(browser)})
    return answer.status_code, answer.text


def log_in(app: FastAPI, email: str, password: str) -> TestClient:
    browser = TestClient(app, follow_redirects=False, headers={"Accept": "text/html"})
    browser.post("/login", data={"email": email, "password": password})
    return browser


def test_a_new_password_ends_the_logins_in_other_browsers(
    app: FastAPI, browser_as: ClientAs
) -> None:
    browser = browser_as("viewer")
    other = log_in(app, "viewer@example.org", PASSWORD)
    assert other.get("/account").status_code == 200
    assert change(browser) == (303, "")
    assert "The password is changed." in browser.get("/account/changed").text
    assert other.get("/account").status_code == 303
    assert log_in(app, "viewer@example.org", NEW).get("/account").status_code == 200
    assert log_in(app, "viewer@example.org", PASSWORD).get("/account").status_code == 303


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": "wrong"}, "The present password is wrong."),
        ({"repeated": NEW + "x"}, "The two new passwords are not the same."),
        ({"new_password": "short", "repeated": "short"}, "Choose a password of 10 to 200"),
    ],
)
def test_a_wrong_form_changes_nothing(
    browser_as: ClientAs, values: dict[str, str], words: str
) -> None:
    browser = browser_as("viewer")
    status, page = change(browser, **values)
    assert status == 422
    assert words in page
    assert NEW not in page
    assert browser.get("/account").status_code == 200


def test_the_present_password_cannot_be_guessed_there(browser_as: ClientAs) -> None:
    browser = browser_as("viewer")
    for _ in range(5):
        change(browser, password="wrong")
    assert change(browser)[0] == 429


def test_logging_out_everywhere_ends_every_login(app: FastAPI, browser_as: ClientAs) -> None:
    browser = browser_as("viewer")
    other = log_in(app, "viewer@example.org", PASSWORD)
    token = token_of(browser)
    assert browser.post("/account/log-out-everywhere").status_code == 403, "no CSRF token"
    answer = browser.post("/account/log-out-everywhere", data={"csrf_token": token})
    assert answer.headers["location"] == "/login"
    assert other.get("/account").status_code == 303
    assert log_in(app, "viewer@example.org", PASSWORD).get("/account").status_code == 200


def test_an_enabled_user_does_not_get_old_logins_back(
    browser_as: ClientAs, services: Services
) -> None:
    browser = browser_as("viewer")
    for change_state in ("disable_user", "enable_user"):
        with services.database.transaction() as session:
            access = AccessService(session, services.clock)
            getattr(access, change_state)("viewer@example.org", actor="test")
        assert browser.get("/account").status_code == 303, change_state


def test_the_cookie_is_secure_in_production(services: Services) -> None:
    services.settings = services.settings.model_copy(update={"environment": "production"})
    with services.database.transaction() as session:
        access = AccessService(session, services.clock)
        access.create_user("ana@example.org", "viewer", PASSWORD, actor="test")
    client = TestClient(create_app(services), follow_redirects=False)
    answer = client.post("/login", data={"email": "ana@example.org", "password": PASSWORD})
    for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Max-Age=43200"):
        assert attribute in answer.headers["set-cookie"]
