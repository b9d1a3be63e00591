"""The embedded stack: up is idempotent and repairs, down stops, reset deletes."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.exceptions import Conflict
from backend.embedded.exceptions import StackNotStarted
from backend.embedded.stack import EmbeddedStack
from labeling.label_studio.server import free_port
from tests.backend.embedded.programs import write_label_studio

PROGRAMS = (sys.executable, "-m", "tests.backend.embedded.programs")


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStack]:
    for name in [name for name in os.environ if name.startswith("ASSAY_")]:
        monkeypatch.delenv(name)
    executable = write_label_studio(tmp_path / "label-studio")
    monkeypatch.setenv("ASSAY_LABEL_STUDIO_BIN", str(executable))
    # The preferred ports may be in use by a stack of the person who runs the tests.
    monkeypatch.setenv("ASSAY_PORT", str(free_port()))
    monkeypatch.setenv("ASSAY_LABEL_STUDIO_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    stack = EmbeddedStack(tmp_path / "assay", command=PROGRAMS)
    yield stack
    stack.down()


def pids(stack: EmbeddedStack) -> dict[str, int | None]:
    return {status.name: status.pid for status in stack.status()}


def test_up_starts_what_is_missing_and_leaves_the_rest(stack: EmbeddedStack) -> None:
    messages: list[str] = []
    assert stack.status() == []
    stack.up(lambda _fraction, message: messages.append(message))
    assert messages[-1] == "everything answers"
    assert all(status.is_healthy for status in stack.status())
    first = pids(stack)
    stack.up()
    assert pids(stack) == first

    worker, api = first["worker"], first["api"]
    assert worker is not None
    assert api is not None
    os.kill(worker, signal.SIGKILL)
    os.kill(api, signal.SIGKILL)
    stack.up()
    second = pids(stack)
    assert second["label-studio"] == first["label-studio"]
    assert second["worker"] not in (None, worker)
    assert second["api"] not in (None, api)
    assert all(status.is_healthy for status in stack.status())

    assert sorted(stack.down()) == ["api", "label-studio", "worker"]
    assert set(pids(stack).values()) == {None}
    assert stack.down() == []
    stack.reset()
    assert not stack.data_dir.exists()


def test_a_process_that_dies_is_named_with_its_last_words(stack: EmbeddedStack) -> None:
    stack.data_dir.mkdir()
    (stack.data_dir / "broken-api").write_text("")
    with pytest.raises(StackNotStarted, match="api process ended at once:\nthe API can not start"):
        stack.up()
    (stack.data_dir / "broken-api").unlink()
    stack.up()
    assert all(status.is_healthy for status in stack.status())


def test_a_taken_port_is_named(stack: EmbeddedStack) -> None:
    port = int(os.environ["ASSAY_PORT"])
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        with pytest.raises(StackNotStarted, match=f"Port {port} on 127.0.0.1 is taken"):
            stack.up()


def test_a_foreign_directory_is_never_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Conflict, match=r"no embedded\.env"):
        EmbeddedStack(tmp_path).reset()
    assert (tmp_path / "thesis.txt").exists()
