"""Administrators make, change and disable users; every change is in the audit trail."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from backend.access.service import AccessService
from backend.core.exceptions import Conflict
from backend.core.services import Services
from backend.models import AuditEvent, User
from tests.backend.access.test_account import log_in
from tests.backend.access.test_roles import token_of
from tests.backend.conftest import ClientAs


@pytest.fixture
def admin(browser_as: ClientAs) -> TestClient:
    browser = browser_as("admin")
    browser.headers["X-CSRF-Token"] = token_of(browser)
    return browser


def user_id(services: Services, email: str) -> int:
    with services.database.reading() as session:
        return session.exec(select(User.id).where(User.email == email)).one() or 0


def test_a_user_is_made_with_a_password_shown_once(
    admin: TestClient, app: FastAPI, services: Services
) -> None:
    made = admin.post("/users", data={"email": "bo@example.org", "role": "annotator"})
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    password = re.search(r"<code>([^<]{15,})</code>", made.text)
    assert password is not None
    assert log_in(app, "bo@example.org", password[1]).get("/my-work").status_code == 200
    page = admin.get("/users").text
    assert password[1] not in page
    assert "bo@example.org" in page
    new = admin.post(f"/users/{user_id(services, 'bo@example.org')}/password").text
    assert log_in(app, "bo@example.org", password[1]).get("/my-work").status_code == 303
    assert password[1] not in new


def test_wrong_input_is_told_on_the_page(admin: TestClient) -> None:
    for data, status in (
        ({"email": "bo", "role": "viewer"}, 422),
        ({"email": "bo@example.org", "role": "service"}, 422),
        ({"email": "admin@example.org", "role": "viewer"}, 409),
    ):
        answer = admin.post("/users", data=data)
        assert answer.status_code == status
        assert 'role="alert"' in answer.text
    assert admin.post("/users/99/role", data={"role": "viewer"}).status_code == 404
    assert admin.post("/users/99/state", data={"state": "gone"}).status_code == 422


def test_role_and_state_change_and_are_audited(
    admin: TestClient, browser_as: ClientAs, services: Services
) -> None:
    viewer = browser_as("viewer")
    number = user_id(services, "viewer@example.org")
    assert viewer.get("/audit").status_code == 403
    assert admin.post(f"/users/{number}/role", data={"role": "lead"}).status_code == 303
    assert viewer.get("/audit").status_code == 200, "from the next request on"
    admin.post(f"/users/{number}/state", data={"state": "ended"})
    assert viewer.get("/audit").status_code == 303
    admin.post(f"/users/{number}/state", data={"state": "disabled"})
    assert "disabled" in admin.get("/users").text
    admin.post(f"/users/{number}/state", data={"state": "enabled"})
    with services.database.reading() as session:
        done = session.exec(
            select(AuditEvent.action).where(
                AuditEvent.subject == f"user:{number}", AuditEvent.actor == "admin@example.org"
            )
        ).all()
    assert done == ["user.role_changed", "user.logins_ended", "user.disabled", "user.enabled"]


def test_the_last_administrator_stays(admin: TestClient, services: Services) -> None:
    number = user_id(services, "admin@example.org")
    for path, data in (("role", {"role": "lead"}), ("state", {"state": "disabled"})):
        answer = admin.post(f"/users/{number}/{path}", data=data)
        assert answer.status_code == 409
        assert "the only administrator" in answer.text
    with services.database.transaction() as session:
        access = AccessService(session, services.clock)
        with pytest.raises(Conflict):
            access.disable_user("admin@example.org", actor="test")
        access.create_user("two@example.org", "admin", "another password", actor="test")
        access.disable_user("admin@example.org", actor="test")


def test_programs_make_and_change_users_too(client_as: ClientAs) -> None:
    admin = client_as("admin")
    made = admin.post(
        "/api/v1/access/users",
        json={"email": "Bo@example.org", "role": "reviewer", "password": "a good password"},
    )
    assert made.status_code == 201
    assert made.json()["email"] == "bo@example.org"
    path = f"/api/v1/access/users/{made.json()['id']}"
    changed = admin.patch(path, json={"role": "annotator", "is_disabled": True}).json()
    assert (changed["role"], changed["is_disabled"]) == ("annotator", True)
    assert admin.patch(path, json={"role": "service"}).status_code == 422
    assert admin.patch("/api/v1/access/users/999", json={}).status_code == 404
    assert client_as("lead").patch(path, json={"role": "admin"}).status_code == 403
