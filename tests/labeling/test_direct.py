"""Our own servers are reached directly, whatever proxy the environment names."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from labeling.label_studio.account import ensure_token
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.direct import answers, is_own, open_client
from labeling.label_studio.server import free_port

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class Server(BaseHTTPRequestHandler):
    """Answers everything with what it was asked for, as a proxy would see it."""

    def do_GET(self) -> None:
        body = f'[{{"asked": "{self.path}"}}]'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(params=["http", "socks5", "socks"])
def dead_proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, f"{request.param}://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.mark.usefixtures("dead_proxy")
def test_no_proxy_of_the_environment_is_used(url: str) -> None:
    assert answers(url)
    client = LabelStudioClient(url, "token")
    assert client.users() == [{"asked": "/api/users/"}]
    assert ensure_token(url, "a@example.com", "password", "token") == "token"
    client.close()


def test_a_proxy_is_used_only_to_the_outside(url: str) -> None:
    with open_client("http://labels.example.com", proxy=url, timeout=5) as outside:
        assert outside.get("/x").json() == [{"asked": "http://labels.example.com/x"}]
    dead = f"http://127.0.0.1:{free_port()}"
    with open_client(url, proxy=dead, timeout=5) as ours:
        assert ours.get("/x").json() == [{"asked": "/x"}]
    with (
        open_client("http://labels.example.com", proxy=dead, timeout=5) as outside,
        pytest.raises(httpx.ConnectError),
    ):
        outside.get("/x")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://label-studio:8080", True),
        ("http://api.assay.internal:8000", True),
        ("http://192.168.1.5", True),
        ("https://labels.example.com", False),
        ("https://93.184.215.14", False),
    ],
)
def test_own_addresses_are_told_from_others(address: str, expected: bool) -> None:
    assert is_own(address) == expected
