"""Detached processes: found again, stopped for sure, strangers left alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.embedded.processes import DetachedProcess, start_time, tail

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[DetachedProcess]:
    process = DetachedProcess(tmp_path / "run" / "worker.json")
    yield process
    process.stop(0)


def wait_for_output(log: Path) -> None:
    deadline = time.monotonic() + 10
    while "up" not in tail(log):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_lives_in_a_session_of_its_own_and_is_found_again(
    process: DetachedProcess, tmp_path: Path
) -> None:
    log = tmp_path / "logs" / "worker.log"
    pid = process.start(SLEEP, os.environ, log)
    wait_for_output(log)
    assert os.getsid(pid) == pid
    assert DetachedProcess(process.record).pid == pid
    assert process.stop(5)
    assert start_time(pid) is None
    assert not process.stop(5)


def test_one_that_ignores_sigterm_is_killed(process: DetachedProcess, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    process.start(STUBBORN, os.environ, log)
    wait_for_output(log)
    begin = time.monotonic()
    assert process.stop(0.3)
    assert 0.3 <= time.monotonic() - begin < 5
    assert not process.is_alive


def test_a_stranger_with_the_same_id_is_left_alone(process: DetachedProcess) -> None:
    with subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL) as stranger:
        process.adopt(stranger.pid)
        assert process.is_alive
        written = json.loads(process.record.read_text())
        process.record.write_text(json.dumps(written | {"started": written["started"] - 60}))
        assert process.pid is None
        assert not process.stop(1)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": "x", "started": 1}', '{"pid": 1, "started": "y"}', "null"]
)
def test_a_damaged_record_names_nobody(process: DetachedProcess, content: str) -> None:
    process.record.parent.mkdir()
    process.record.write_text(content)
    assert process.pid is None
