"""Label Studio away or answering 500: the work waits, says why, and goes on by itself."""

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
from labeling.label_studio.server import LabelStudioServer
from tests.e2e.stack import Stack, seed_project
from tests.e2e.test_kill_points import pushed_batch

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

ANSWER_500 = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"


class Weather:
    """A forwarder before Label Studio: ``away`` hangs up, ``broken`` answers 500."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.state = "fine"
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
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
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
