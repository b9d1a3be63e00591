"""The embedded stack: up is idempotent and repairs, down stops, reset deletes."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.core.exceptions import Conflict
from backend.embedded.exceptions import StackNotStarted
from backend.embedded.secrets import read_env
from backend.embedded.stack import EmbeddedStack
from labeling.exceptions import OtherToken
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
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"socks5://127.0.0.1:{free_port()}")
    stack = EmbeddedStack(tmp_path / "my 数据 50%20" / "assay", command=PROGRAMS)
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
    stack.data_dir.mkdir(parents=True)
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
        with pytest.raises(
            StackNotStarted, match=rf"Port {port} on 127.0.0.1 is taken by process {os.getpid()} "
        ):
            stack.up()
    assert set(pids(stack).values()) == {None}, "nothing was started"


def test_what_the_environment_gave_is_kept_and_all_move_together(
    stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack.up().differences == ()
    first, addresses = pids(stack), [status.url for status in stack.status()]

    monkeypatch.delenv("ASSAY_PORT")
    monkeypatch.delenv("ASSAY_LABEL_STUDIO_URL")
    assert stack.up().differences == ()
    assert pids(stack) == first, "another shell knows the ports"
    assert [status.url for status in stack.status()] == addresses

    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        monkeypatch.setenv("ASSAY_LABEL_STUDIO_URL", f"http://127.0.0.1:{taken}")
        with pytest.raises(StackNotStarted, match=f"Port {taken}"):
            stack.up()
    monkeypatch.delenv("ASSAY_LABEL_STUDIO_URL")
    assert pids(stack) == first, "nothing moved"
    assert [status.url for status in stack.status()] == addresses

    port = free_port()
    monkeypatch.setenv("ASSAY_LABEL_STUDIO_URL", f"http://127.0.0.1:{port}")
    (difference,) = stack.up().differences
    assert difference.startswith("ASSAY_LABEL_STUDIO_URL was http://127.0.0.1:")
    assert difference.endswith(f"and is http://127.0.0.1:{port}")
    monkeypatch.delenv("ASSAY_LABEL_STUDIO_URL")
    assert all(status.is_healthy for status in stack.status())
    assert not set(pids(stack).values()) & set(first.values())
    assert stack.status()[0].url == f"http://127.0.0.1:{port}"


def test_a_token_that_was_reset_is_fetched_and_a_wrong_one_changes_nothing(
    stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.up()
    first = pids(stack)
    monkeypatch.setenv("ASSAY_LABEL_STUDIO_TOKEN", "e" * 40)
    with pytest.raises(OtherToken, match="Leave that setting out"):
        stack.up()
    monkeypatch.delenv("ASSAY_LABEL_STUDIO_TOKEN")
    assert stack.up().differences == ()
    assert pids(stack) == first

    reset = stack.data_dir / "label-studio" / "token.txt"
    reset.write_text("f" * 40)
    assert stack.up().differences == ("ASSAY_LABEL_STUDIO_TOKEN is another",)
    assert stack.up().differences == ()
    assert read_env(stack.data_dir / "embedded.env")["ASSAY_LABEL_STUDIO_TOKEN"] == "f" * 40

    stack.down()
    reset.write_text("a" * 40)
    stack.up()
    assert all(status.is_healthy for status in stack.status())
    assert read_env(stack.data_dir / "embedded.env")["ASSAY_LABEL_STUDIO_TOKEN"] == "a" * 40


def test_the_commands_print_addresses_and_logins_also_when_all_runs(
    stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.cli.stack.embedded_stack", lambda: stack)
    printed = [CliRunner().invoke(app, ["up"], catch_exceptions=False).stdout for _ in range(2)]
    assert printed[0] == printed[1]
    values = read_env(stack.data_dir / "embedded.env")
    for name in ("ASSAY_LABEL_STUDIO_URL", "ASSAY_LABEL_STUDIO_PASSWORD", "ASSAY_ADMIN_PASSWORD"):
        assert values[name] in printed[0]
    assert f"http://127.0.0.1:{values['ASSAY_PORT']}/" in printed[0]


def test_a_foreign_directory_is_never_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Conflict, match=r"no embedded\.env"):
        EmbeddedStack(tmp_path).reset()
    assert (tmp_path / "thesis.txt").exists()
