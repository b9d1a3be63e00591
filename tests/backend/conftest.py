"""The real application over a store of its own; clients with each kind of credentials."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from backend.access import passwords
from backend.access.service import AccessService
from backend.app import create_app
from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.models import metadata

PASSWORD = "correct horse battery"

ClientAs = Callable[[str], TestClient]


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing takes a millisecond instead of a tenth of a second; argon2id all the same."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "_nobody", hasher.hash("the password of nobody"))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    settings = Settings(
        data_dir=tmp_path,
        session_secret=SecretStr("a session secret for the tests"),
        webhook_secret=SecretStr("a webhook secret for the tests"),
        label_studio_url="http://label-studio.example",
    )
    made = Services(settings=settings, database=Database(settings.store_url))
    metadata.create_all(made.database.engine)
    yield made
    made.database.dispose()


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Nobody: no credentials."""
    with TestClient(app, follow_redirects=False) as nobody:
        yield nobody


@pytest.fixture
def client_as(app: FastAPI, services: Services) -> ClientAs:
    """A program that sends an API key with the role."""

    def make(role: str) -> TestClient:
        with services.database.transaction() as session:
            key = AccessService(session, services.clock).create_key(role, role, actor="test")
        headers = {"Authorization": f"Bearer {key.key}"}
        return TestClient(app, follow_redirects=False, headers=headers)

    return make


@pytest.fixture
def browser_as(app: FastAPI, services: Services) -> ClientAs:
    """A browser in which a user with the role is logged in."""

    def make(role: str) -> TestClient:
        email = f"{role}@example.org"
        with services.database.transaction() as session:
            AccessService(session, services.clock).create_user(email, role, PASSWORD, actor="test")
        browser = TestClient(app, follow_redirects=False, headers={"Accept": "text/html"})
        answer = browser.post("/login", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303
        return browser

    return make
