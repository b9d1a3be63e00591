"""The services of docker-compose.yml as processes: Label Studio, one API, two workers.

Store and Label Studio each have a database of their own on one PostgreSQL server.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from backend.projects.schemas import LoopPolicy
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.server import LabelStudioServer, free_port, stop_process
from tests.e2e.stack import ROOT, Stack, seed_project
from tests.e2e.test_kill_points import assert_nothing_lost_nothing_twice, label, pushed_batch
from tests.fixtures.database import database_url, on_server
from tests.fixtures.label_studio import EMAIL, PASSWORD, TOKEN, executable

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio, pytest.mark.postgres]

WORKERS = ("worker-a", "worker-b")


class Team:
    """Processes started as the containers start them: ``assay COMMAND`` and an environment."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, **environment: str) -> None:
        name = environment.get("ASSAY_WORKER_ID", command)
        with (self.stack.data_dir / f"{name}.log").open("ab") as log:
            self.running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "backend.cli", command],
                    env=self.stack.environment | {"ASSAY_ENVIRONMENT": "production"} | environment,
                    cwd=ROOT,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )

    def stop(self) -> list[int]:
        """Exit codes after SIGTERM, as `docker compose stop` sends it."""
        for process in self.running:
            process.terminate()
        return [process.wait(60) for process in self.running]

    def status(self) -> dict[str, Any]:
        told = self.stack.run("status", "--json")
        assert told.returncode == 0, told.stderr
        found: dict[str, Any] = json.loads(told.stdout)
        return found


@pytest.fixture
def label_studio_on_postgres(
    postgres_server_url: str, tmp_path: Path
) -> Iterator[LabelStudioServer]:
    name = "label_studio"
    on_server(postgres_server_url, f"CREATE DATABASE {name}")
    url = make_url(database_url(postgres_server_url, name))
    server = LabelStudioServer(
        executable(),
        tmp_path / "label-studio",
        free_port(),
        EMAIL,
        PASSWORD,
        TOKEN,
        postgres={
            "DJANGO_DB": "default",
            "POSTGRE_HOST": url.host or "",
            "POSTGRE_PORT": str(url.port),
            "POSTGRE_NAME": name,
            "POSTGRE_USER": url.username or "",
            "POSTGRE_PASSWORD": url.password or "",
        },
    )
    pid = server.start()
    yield server
    stop_process(pid)
    on_server(postgres_server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def team(
    empty_postgres_url: str, tmp_path: Path, label_studio_on_postgres: LabelStudioServer
) -> Iterator[Team]:
    stack = Stack(tmp_path / "data", empty_postgres_url, label_studio_on_postgres)
    stack.data_dir.mkdir()
    made = Team(stack)
    yield made
    for process in made.running:
        process.kill()
        process.wait()


def test_a_round_turns_on_postgresql_with_two_workers(team: Team) -> None:
    stack = team.stack
    server = stack.label_studio
    client = LabelStudioClient(server.url, server.token)
    assert not list(server.data_dir.glob("*.sqlite3")), "Label Studio's data are in PostgreSQL"
    refused = stack.run("status")
    assert refused.returncode == 1
    assert "assay migrate" in refused.stderr
    for _ in range(2):  # safe to repeat
        assert stack.run("migrate").returncode == 0
    services = stack.services()
    policy = LoopPolicy(batch_size=12, audit_share=0.25, annotators_per_record=2)
    project, truths = seed_project(services, records=60, policy=policy, name="compose")
    team.start("serve")
    for worker in WORKERS:
        team.start("worker", ASSAY_WORKER_ID=worker)
    stack.until(stack.answers, "the API answers")
    stack.until(pushed_batch(services, 1), "batch 1 is pushed")
    label(services, project.id, 1, truths)
    stack.until(pushed_batch(services, 2), "batch 2 is pushed")

    def both_work() -> bool:
        alive = {worker["id"] for worker in team.status()["workers"] if worker["is_alive"]}
        return alive == {*WORKERS}

    stack.until(both_work, "both workers report themselves")
    assert_nothing_lost_nothing_twice(stack, services, client, rounds=2)
    client.close()
    api, *workers = team.stop()
    assert api in (0, -signal.SIGTERM)  # uvicorn shuts down, then passes the signal on
    assert workers == [0, 0]
    services.database.dispose()
