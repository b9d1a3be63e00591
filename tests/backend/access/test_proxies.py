"""Who logs in behind a proxy: the address that counts, and that nobody can pretend another."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from backend.access.service import AccessService
from backend.app import create_app
from backend.cli.server import serve
from backend.core.exceptions import ConfigurationError
from backend.core.services import Services
from backend.core.settings import Settings
from backend.models import AuditEvent
from tests.backend.conftest import PASSWORD
from tests.fixtures.live_app import live
from tests.fixtures.nginx import nginx

EMAIL = "ana@example.org"
ANA, EVE = "127.0.0.2", "127.0.0.3"
"""Two clients' addresses; nginx itself connects from 127.0.0.1."""
NAMED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}

Behind = Callable[..., TestClient]


@pytest.fixture
def ana(services: Services) -> None:
    with services.database.transaction() as session:
        AccessService(session, services.clock).create_user(EMAIL, "viewer", PASSWORD, actor="t")


@pytest.fixture
def behind(services: Services, ana: None) -> Behind:
    """A peer with an address, to an application that trusts ``trusted``."""

    def make(trusted: str, *, peer: str = "10.0.0.9") -> TestClient:
        services.settings.trusted_proxies = Settings(trusted_proxies=trusted).trusted_proxies
        return TestClient(create_app(services), client=(peer, 5000), follow_redirects=False)

    return make


def log_in(client: TestClient | httpx.Client, password: str = PASSWORD, **headers: str) -> int:
    data = {"email": EMAIL, "password": password}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/login", data=data, headers=named).status_code


def clients_of(services: Services) -> list[str]:
    """The addresses that the audit trail names, oldest first."""
    with services.database.reading() as session:
        query = select(AuditEvent).where(col(AuditEvent.action).startswith("login."))
        return [
            str(row.detail["client"]) for row in session.exec(query.order_by(col(AuditEvent.id)))
        ]


def test_nobody_is_trusted_unless_the_setting_says_so(behind: Behind, services: Services) -> None:
    for peer in ("10.0.0.9", "127.0.0.1"):
        answer = behind("", peer=peer).post(
            "/login", data={"email": EMAIL, "password": PASSWORD}, headers=NAMED
        )
        assert "Secure" not in answer.headers["set-cookie"]
    assert clients_of(services) == ["10.0.0.9", "127.0.0.1"]


@pytest.mark.parametrize("trusted", ["10.0.0.9", "192.0.2.1, 10.0.0.0/8", "::1,10.0.0.9"])
def test_a_trusted_proxy_names_client_and_scheme(
    behind: Behind, services: Services, trusted: str
) -> None:
    answer = behind(trusted).post(
        "/login", data={"email": EMAIL, "password": PASSWORD}, headers=NAMED
    )
    assert "Secure" in answer.headers["set-cookie"]
    assert clients_of(services) == ["203.0.113.7"]


@pytest.mark.parametrize(
    ("sent", "client"),
    [
        ("1.1.1.1, 203.0.113.7", "203.0.113.7"),  # the client wrote the first one itself
        ("1.1.1.1, 203.0.113.7, 10.0.0.8", "203.0.113.7"),  # two proxies of ours
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("1.1.1.1, unknown", "10.0.0.9"),
        ("1.1.1.1, <script>", "10.0.0.9"),
        ("1.1.1.1,", "10.0.0.9"),
        ("", "10.0.0.9"),
        ("," * 5_000, "10.0.0.9"),
        ("999.1.1.1", "10.0.0.9"),
        ("[::1", "10.0.0.9"),
    ],
)
def test_forwarded_addresses_are_read_from_right_to_left(
    behind: Behind, services: Services, sent: str, client: str
) -> None:
    assert log_in(behind("10.0.0.0/8"), X_Forwarded_For=sent) == 303
    assert clients_of(services) == [client]


@pytest.mark.parametrize("scheme", ["javascript", "", "https, http", "HTTPS\x01"])
def test_an_unknown_scheme_changes_nothing(behind: Behind, scheme: str) -> None:
    data, sent = {"email": EMAIL, "password": PASSWORD}, {"X-Forwarded-Proto": scheme}
    answer = behind("10.0.0.9").post("/login", data=data, headers=sent)
    assert answer.status_code == 303
    assert "Secure" not in answer.headers["set-cookie"]


@pytest.mark.parametrize("value", ["proxy.internal", "10.0.0.0/40", "10.0.0.1/8", "*", "1.2.3"])
def test_a_setting_that_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings(trusted_proxies=f"127.0.0.1,{value}")
    assert (refused.value.field, refused.value.value) == ("trusted_proxies", value)


def test_the_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_TRUSTED_PROXIES", "127.0.0.1, 172.16.0.0/12,")
    assert Settings().trusted_proxies == ("127.0.0.1", "172.16.0.0/12")


def test_the_server_leaves_the_headers_to_the_application(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    monkeypatch.setattr("uvicorn.run", lambda _app, **given: asked.update(given))
    serve()
    assert asked["proxy_headers"] is False


@pytest.fixture
def address(services: Services, ana: None, tmp_path: Path) -> Iterator[str]:
    """The application behind a real nginx with the documentation's example."""
    services.settings.trusted_proxies = ("127.0.0.1",)
    folder = tmp_path / "nginx"
    folder.mkdir()
    with live(services) as upstream, nginx(upstream, folder) as address:
        yield address


def at(address: str, source: str) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=source, verify=False)
    return httpx.Client(base_url=address, transport=transport, timeout=20, trust_env=False)


def test_behind_nginx_one_client_is_locked_out_and_the_other_is_not(
    address: str, services: Services
) -> None:
    ana, eve = at(address, ANA), at(address, EVE)
    attempts = 5
    assert [log_in(eve, "wrong") for _ in range(attempts + 1)] == [*[401] * attempts, 429]
    assert log_in(eve) == 429
    pretended = [log_in(eve, X_Forwarded_For=f"{ANA}, 203.0.113.{n}") for n in range(9)]
    assert pretended == [429] * 9
    answer = ana.post(
        "/login", data={"email": EMAIL, "password": PASSWORD}, headers={"Origin": address}
    )
    assert answer.status_code == 303
    assert "Secure" in answer.headers["set-cookie"]
    assert ana.get("/jobs").status_code == 200
    assert clients_of(services) == [*[EVE] * attempts, ANA]


def test_behind_nginx_many_names_from_one_address_lock_only_that_address_out(
    address: str, services: Services
) -> None:
    eve, ana = at(address, EVE), at(address, ANA)
    most = 50
    for number in range(most):
        data = {"email": f"nobody-{number}@example.org", "password": "wrong"}
        forged = {"X-Forwarded-For": f"198.51.100.{number}"}
        assert eve.post("/login", data=data, headers=forged).status_code == 401
    assert (log_in(eve), log_in(ana)) == (429, 303)
    assert {*clients_of(services)} == {EVE, ANA}
