import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from backend.access.service import AccessService
from backend.core.services import Services
from backend.models import AuditEvent
from tests.backend.conftest import PASSWORD, ClientAs

EMAIL = "ana@example.org"


@pytest.fixture
def ana(services: Services) -> None:
    with services.database.transaction() as session:
        AccessService(session, services.clock).create_user(EMAIL, "viewer", PASSWORD, actor="t")


def test_a_stranger_in_a_browser_is_sent_to_the_login_and_back(
    client: TestClient, ana: None
) -> None:
    answer = client.get("/jobs", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/jobs")
    assert 'name="next" value="/jobs"' in client.get("/login?next=/jobs").text
    data = {"email": EMAIL, "password": PASSWORD, "next": "/jobs"}
    assert client.post("/login", data=data).headers["location"] == "/jobs"
    assert client.get("/jobs", headers={"Accept": "text/html"}).status_code == 200


def test_the_way_back_keeps_the_filter_and_a_form_says_that_nothing_was_stored(
    client: TestClient,
) -> None:
    html = {"Accept": "text/html"}
    answer = client.get("/audit?actor=ana&action=x", headers=html)
    assert answer.headers["location"] == "/login?next=/audit%3Factor%3Dana%26action%3Dx"
    page = {"Referer": f"{client.base_url}/projects/1/review/7?state=open"}
    answer = client.post("/projects/1/review/7", headers={**html, **page})
    place = answer.headers["location"]
    assert place == "/login?next=/projects/1/review/7%3Fstate%3Dopen&ended=true"
    shown = client.get(place, headers=html).text
    assert 'name="next" value="/projects/1/review/7?state=open"' in shown
    assert "was not stored" in shown
    stranger = {"Referer": "https://evil.example/"}
    answer = client.post("/projects/1/review/7", headers={**html, **stranger})
    assert answer.headers["location"] == "/login"


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1"]
)
def test_the_login_never_leads_to_another_site(client: TestClient, ana: None, address: str) -> None:
    data = {"email": EMAIL, "password": PASSWORD, "next": address}
    assert client.post("/login", data=data).headers["location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: TestClient, ana: None
) -> None:
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert PASSWORD not in cookie


def test_the_cookie_is_secure_over_https(app: FastAPI, ana: None) -> None:
    client = TestClient(app, base_url="https://testserver", follow_redirects=False)
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


def test_a_wrong_password_shows_the_form_again_and_is_audited(
    client: TestClient, services: Services, ana: None
) -> None:
    data = {"email": EMAIL, "password": "wrong"}
    answer = client.post("/login", data=data, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "E-mail address or password is wrong." in answer.text
    assert f'value="{EMAIL}"' in answer.text
    assert "set-cookie" not in answer.headers
    with services.database.reading() as session:
        actions = [event.action for event in session.exec(select(AuditEvent))]
    assert "login.failed" in actions


def test_guessing_is_stopped(client: TestClient, ana: None) -> None:
    for _ in range(5):
        client.post("/login", data={"email": EMAIL, "password": "wrong"})
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many failed logins." in answer.text


def test_another_site_cannot_log_people_in(client: TestClient, ana: None) -> None:
    answer = client.post(
        "/login",
        data={"email": EMAIL, "password": PASSWORD},
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403


def test_logging_out_forgets_the_cookie(browser_as: ClientAs) -> None:
    browser = browser_as("viewer")
    token = browser.get("/").text.split('name="csrf_token" value="')[1][:64]
    assert browser.post("/logout", data={"csrf_token": token}).headers["location"] == "/login"
    assert browser.get("/").status_code == 303


def test_a_page_whose_login_ended_goes_to_the_login(client: TestClient) -> None:
    answer = client.get("/jobs", headers={"HX-Request": "true", "Accept": "*/*"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=/jobs"
