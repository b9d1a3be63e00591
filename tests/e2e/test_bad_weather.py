"""Label Studio away, answering 500, or its answers lost: the work waits and goes on by itself."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from backend.models import Job
from backend.projects.schemas import LoopPolicy
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.server import LabelStudioServer
from tests.e2e.stack import Stack, seed_project
from tests.e2e.test_kill_points import assert_nothing_lost_nothing_twice, label, pushed_batch

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

ANSWER_500 = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"


class Weather:
    """A forwarder before Label Studio.

    ``away`` hangs up, ``broken`` answers 500, ``lossy`` lets the first POST to each address
    through and hangs up before its answer: Label Studio has done what nobody knows of.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.state = "fine"
        self.lost: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if self.state == "away":
                return
            if self.state == "broken":
                client.recv(65_536)
                client.sendall(ANSWER_500)
                return
            with socket.create_connection(self._target) as server:
                is_lost = threading.Event()
                back = threading.Thread(target=_answer, args=(server, client, is_lost), daemon=True)
                back.start()
                self._ask(client, server, is_lost)
                back.join()

    def _ask(self, client: socket.socket, server: socket.socket, is_lost: threading.Event) -> None:
        try:
            while (data := client.recv(65_536)) and self.state in ("fine", "lossy"):
                line = data.partition(b"\r\n")[0]
                if self.state == "lossy" and line.startswith(b"POST ") and line not in self.lost:
                    self.lost.append(line)
                    is_lost.set()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            client.shutdown(socket.SHUT_RD)
        except OSError:
            pass


def _answer(server: socket.socket, client: socket.socket, is_lost: threading.Event) -> None:
    try:
        while (data := server.recv(65_536)) and not is_lost.is_set():
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


@pytest.fixture
def weather(label_studio: LabelStudioServer) -> Iterator[Weather]:
    made = Weather(label_studio.port)
    yield made
    made.close()


@pytest.mark.parametrize("state", ["away", "broken"])
def test_the_push_waits_and_recovers_by_itself(
    sqlite_url: str, tmp_path: Path, label_studio: LabelStudioServer, weather: Weather, state: str
) -> None:
    behind = replace(label_studio, port=weather.port)
    stack = Stack(tmp_path / "data", sqlite_url, behind)
    services = stack.services()
    policy = LoopPolicy(batch_size=8, audit_share=0.25)
    seed_project(services, records=30, policy=policy, name=f"weather {state}")
    weather.state = state
    stack.start("worker")
    try:

        def waiting_push() -> Job | None:
            with services.database.reading() as session:
                return session.exec(
                    select(Job).where(Job.name == "labeling.push", Job.status == "waiting")
                ).first()

        job = stack.until(waiting_push, "the push waits")
        assert behind.url in f"{job.error} {job.message}" or "500" in f"{job.error} {job.message}"
        assert "Label Studio" in f"{job.error} {job.message}"
        told = json.loads(stack.run("status", "--json").stdout)
        assert "waiting" in json.dumps(told)
        weather.state = "fine"
        stack.until(pushed_batch(services, 1), "the push goes through by itself")
    finally:
        stack.stop()


def test_lost_answers_make_nothing_twice_and_a_failing_sync_catches_up(
    stack: Stack, weather: Weather, label_studio_client: LabelStudioClient
) -> None:
    people = stack.services()
    stack.label_studio = replace(stack.label_studio, port=weather.port)
    services = stack.services()
    policy = LoopPolicy(batch_size=12, audit_share=0.25)
    project, truths = seed_project(services, records=40, policy=policy, name="lossy")
    weather.state = "lossy"
    stack.start("worker")
    stack.until(pushed_batch(services, 1), "the push goes through in the end")
    lost = b" ".join(weather.lost)
    assert b"POST /api/projects/ " in lost
    assert b"POST /api/webhooks/ " in lost
    assert b"/import" in lost
    weather.state = "broken"
    label(people, project.id, 1, truths)  # people reach Label Studio; we don't

    def waiting_sync() -> Job | None:
        with services.database.reading() as session:
            return session.exec(
                select(Job).where(Job.name == "labeling.sync", Job.status == "waiting")
            ).first()

    job = stack.until(waiting_sync, "the sync waits")
    assert "Label Studio answered 500" in (job.error or "")
    assert "start Label Studio" in (job.error or "")
    weather.state = "fine"
    stack.until(pushed_batch(services, 2), "the loop goes on by itself")
    assert_nothing_lost_nothing_twice(stack, services, label_studio_client, rounds=2)
