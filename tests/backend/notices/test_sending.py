"""One request to a real receiver: what is permitted, how long it may take, what is kept of it."""

import ssl
import subprocess
import time
from pathlib import Path

import pytest

from backend.notices import sending
from backend.notices.destination import AllowedHosts
from backend.notices.sending import KEPT_BYTES, ReceiverAnswer, send
from tests.backend.notices.receiver import Receiver, receiving

ALLOWED = AllowedHosts(("127.0.0.1",))


def post(url: str, allowed: AllowedHosts = ALLOWED, **parts: ssl.SSLContext) -> ReceiverAnswer:
    return send(url, b"{}", {"X-Some": "header"}, allowed=allowed, **parts)


def test_the_body_arrives_and_the_answer_is_kept(receiver: Receiver) -> None:
    receiver.answer = "谢谢\x00".encode() * 1_000_000
    answer = post(receiver.url + "/hook?a=b")
    assert (answer.status, answer.error) == (200, None)
    assert answer.answer.startswith("谢谢\N{REPLACEMENT CHARACTER}")
    assert len(answer.answer) <= KEPT_BYTES
    (got,) = receiver.received
    assert (got.path, got.body, got.headers["x-some"]) == ("/hook?a=b", b"{}", "header")
    assert got.headers["host"] == receiver.url.removeprefix("http://")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    answer = post(receiver.url)
    assert answer.status == status
    assert "redirects are not followed" in str(answer.error)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_what_is_no_success_is_a_failure(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    assert str(status) in str(post(receiver.url).error)


def test_a_name_that_leads_to_a_private_address_is_not_asked(receiver: Receiver) -> None:
    url = receiver.url.replace("http://127.0.0.1", "https://localhost")
    answer = post(url, AllowedHosts(()))
    assert answer.status is None
    assert "not of the public internet" in str(answer.error)
    assert receiver.received == []


def test_a_setting_that_was_taken_back_counts_at_once(receiver: Receiver) -> None:
    assert "https only" in str(post(receiver.url, AllowedHosts(())).error)
    assert receiver.received == []


def test_a_slow_answer_ends_in_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.5)
    receiver.drip, receiver.answer = 0.05, b"x" * 400
    start = time.monotonic()
    answer = post(receiver.url)
    assert time.monotonic() - start < 3
    assert answer.status is None
    assert "No answer within 0.5 seconds" in str(answer.error)


def test_nobody_there_is_a_failure() -> None:
    answer = post("http://127.0.0.1:9/")
    assert answer.status is None
    assert "ConnectError" in str(answer.error)
    assert "gaierror" in str(post("https://nowhere.invalid/").error)


def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert post(receiver.url).status == 200


def test_certificates_are_checked_against_the_name_though_the_address_is_connected_to(
    tmp_path: Path,
) -> None:
    made = {name: _certificate(tmp_path, name) for name in ("localhost", "other.example")}
    for name, (certificate, key) in made.items():
        trust = ssl.create_default_context(cafile=certificate)
        with receiving((certificate, key)) as receiver:
            url = receiver.url.replace("127.0.0.1", "localhost")
            answer = post(url, AllowedHosts(("127.0.0.1", "::1")), trust=trust)
            assert (answer.status == 200) is (name == "localhost"), answer
            untrusted = post(url, AllowedHosts(("127.0.0.1", "::1")))
            assert "CERTIFICATE_VERIFY_FAILED" in str(untrusted.error)


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}"),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key
