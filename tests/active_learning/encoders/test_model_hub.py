"""A model that cannot be had is refused within seconds; a hub that answers is asked."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from active_learning.encoders.model_hub import check_obtainable
from active_learning.exceptions import EncoderUnavailable

pytest.importorskip("huggingface_hub")
NAME = "nobody/no-such-model"


class NoSuchModel(BaseHTTPRequestHandler):
    asked: list[str]

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def hub() -> Iterator[str]:
    NoSuchModel.asked = []
    with HTTPServer(("127.0.0.1", 0), NoSuchModel) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_hub_that_answers_is_left_to_the_library(hub: str) -> None:
    check_obtainable(NAME, endpoint=hub)
    assert NoSuchModel.asked == [f"/{NAME}/resolve/main/config.json"]


def test_folders_and_what_is_no_name_ask_nobody(tmp_path: Path, hub: str) -> None:
    check_obtainable(str(tmp_path), endpoint=hub)
    check_obtainable(str(tmp_path / "nothing"), endpoint=hub)
    assert NoSuchModel.asked == []


def test_a_hub_that_never_answers_is_given_up_soon() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(EncoderUnavailable, match="cannot be reached"):
            check_obtainable(
                NAME, endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", wait_seconds=0.3
            )
        assert time.monotonic() - started < 3


PROGRAM = """
import time
from active_learning.encoders.loading import load_encoder
from active_learning.exceptions import EncoderUnavailable
started = time.monotonic()
try:
    load_encoder("nobody/no-such-model")
except EncoderUnavailable as error:
    print(f"{time.monotonic() - started:.1f}|{error}")
"""


def test_an_encoder_out_of_reach_is_refused_with_the_remedy(tmp_path: Path) -> None:
    there = f"http://127.0.0.1:{closed_port()}"
    environment = {**os.environ, "HF_ENDPOINT": there, "HF_HOME": str(tmp_path)}
    environment.pop("HF_HUB_OFFLINE", None)
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    seconds, _, message = shown.partition("|")
    assert float(seconds) < 15  # 46 s without the check; importing torch takes some of it
    assert f"{there} cannot be reached" in message
    assert "bundled-en" in message


def test_a_cached_model_needs_no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "models--nobody--no-such-model"
    (home / "snapshots" / "abc").mkdir(parents=True)
    (home / "snapshots" / "abc" / "config.json").write_text("{}")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    check_obtainable(NAME, endpoint=f"http://127.0.0.1:{closed_port()}")


@pytest.mark.skipif(find_spec("socksio") is not None, reason="SOCKS works here")
def test_a_proxy_that_cannot_be_used_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import close_session

    close_session()  # it keeps a client with the proxies of its first use
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(EncoderUnavailable, match="pip install socksio"):
        check_obtainable(NAME)
    close_session()
