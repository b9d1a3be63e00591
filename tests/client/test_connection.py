"""Where the server is, who asks, what is sent again, and what an answer that is none becomes."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

import assay_client
from assay_client import (
    Assay,
    AsyncAssay,
    NotAuthenticated,
    ServerTrouble,
    SettingMissing,
    TooManyRequests,
    Unreachable,
)
from assay_client.operation import operation
from tests.client.conftest import KeyOf

Handler = Callable[[httpx.Request], httpx.Response]


class Script:
    """A server that gives these answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> Assay:
        """A client of this server whose pauses are written down."""
        transport = httpx.MockTransport(self)
        return Assay("http://x", "k", transport=transport, sleep=self.pauses.append)


def busy(status: int = 503, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_url_and_key_come_from_the_environment(
    address: str, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_API_KEY", raising=False)
    monkeypatch.delenv("ASSAY_URL", raising=False)
    with pytest.raises(SettingMissing, match="ASSAY_URL"):
        Assay(api_key="k")
    with pytest.raises(SettingMissing, match="ASSAY_API_KEY"):
        AsyncAssay("http://x")
    monkeypatch.setenv("ASSAY_URL", address + "/")
    monkeypatch.setenv("ASSAY_API_KEY", key_of("viewer"))
    with Assay() as assay:
        assert (assay.whoami().name, assay.whoami().role) == ("key:viewer", "viewer")


def test_a_wrong_key_is_told_apart(address: str) -> None:
    with Assay(address, "assay_wrong") as assay, pytest.raises(NotAuthenticated) as caught:
        assay.whoami()
    assert caught.value.request_id


def test_a_proxy_of_the_environment_is_not_used(
    address: str, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    with Assay(address, key_of("viewer")) as assay:
        assert assay.whoami().role == "viewer"
    asked = Assay(address, key_of("viewer"), proxy="http://127.0.0.1:9", tries=1)
    with asked, pytest.raises(Unreachable):
        asked.whoami()


def test_sentences_are_in_the_language_asked_for(address: str, key_of: KeyOf) -> None:
    assay = Assay(address, key_of("viewer"), language="zh")
    with assay, pytest.raises(assay_client.NotFound) as caught:
        assay.projects.get(99)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in caught.value.detail)


def test_what_changes_nothing_is_sent_again_after_the_pause_that_the_server_names() -> None:
    script = Script(busy(Retry_After="7"), httpx.ConnectError("away"), httpx.Response(200, json=[]))
    assert script.client().projects.list() == []
    assert script.pauses[0] == 7
    assert 0.5 <= script.pauses[1] <= 1
    assert len(script.asked) == 3


def test_it_is_given_up_after_so_many_tries() -> None:
    script = Script(*[busy() for _ in range(4)])
    with pytest.raises(ServerTrouble):
        script.client().projects.list()
    assert len(script.asked) == 4
    away = Script(*[httpx.ReadTimeout("slow") for _ in range(4)])
    with pytest.raises(Unreachable, match="GET /api/v1/projects"):
        away.client().projects.list()


def test_what_changes_something_is_sent_once() -> None:
    script = Script(busy(429, Retry_After="1"))
    with pytest.raises(TooManyRequests) as caught:
        script.client().datasets.create("shop")
    assert (caught.value.retry_after, script.pauses, len(script.asked)) == (1, [], 1)
    away = Script(httpx.ConnectError("away"))
    with pytest.raises(Unreachable):
        away.client().datasets.create("shop")


def test_nobody_waits_for_hours() -> None:
    script = Script(busy(Retry_After="7200"))
    with pytest.raises(ServerTrouble):
        script.client().projects.list()
    assert script.pauses == []


def test_another_server_is_noticed() -> None:
    script = Script(httpx.Response(200, text="<html>hello</html>"))
    with pytest.raises(Unreachable, match="is it the right URL"):
        script.client().projects.list()
    gateway = Script(httpx.Response(418, text="<html>teapot</html>"))
    with pytest.raises(assay_client.Problem, match="teapot"):
        gateway.client().projects.list()


def test_the_awaiting_client_sends_again_too() -> None:
    script = Script(busy(), httpx.Response(200, json=[]))
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def scenario() -> None:
        transport = httpx.MockTransport(script)
        async with AsyncAssay("http://x", "k", transport=transport, sleep=sleep) as assay:
            assert await assay.projects.list() == []

    asyncio.run(scenario())
    assert len(pauses) == 1


def test_every_operation_is_documented() -> None:
    rooms = [type(room) for room in vars(Assay("http://x", "k")).values()] + [Assay]
    found = [
        (name, each.__doc__)
        for room in rooms
        if room.__module__.startswith("assay_client")
        for owner in room.__mro__
        for name, each in vars(owner).items()
        if isinstance(each, operation)
    ]
    assert {"add", "score", "wait", "status"} <= {name for name, _ in found}
    assert [name for name, text in found if not text] == []


def test_public_names_are_listed_in_order() -> None:
    assert assay_client.__all__ == sorted(assay_client.__all__)
    assert all(hasattr(assay_client, name) for name in assay_client.__all__)
