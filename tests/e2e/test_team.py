"""The services of docker-compose.yml as processes on PostgreSQL: one API, two workers."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.projects.schemas import LoopPolicy
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.server import LabelStudioServer
from tests.e2e.stack import ROOT, Stack, seed_project
from tests.e2e.test_kill_points import assert_nothing_lost_nothing_twice, label, pushed_batch

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
def team(
    empty_postgres_url: str, tmp_path: Path, label_studio: LabelStudioServer
) -> Iterator[Team]:
    stack = Stack(tmp_path / "data", empty_postgres_url, label_studio)
    stack.data_dir.mkdir()
    made = Team(stack)
    yield made
    for process in made.running:
        process.kill()
        process.wait()


def test_a_round_turns_on_postgresql_with_two_workers(
    team: Team, label_studio_client: LabelStudioClient
) -> None:
    stack = team.stack
    refused = stack.run("status")
    assert refused.returncode == 1
    assert "assay migrate" in refused.stderr
    for _ in range(2):  # safe to repeat
        assert stack.run("migrate").returncode == 0
    services = stack.services()
    policy = LoopPolicy(batch_size=12, audit_share=0.25, annotators_per_record=2)
    project, truths = seed_project(services, records=60, policy=policy, name="compose")
    assert project.id is not None
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
    assert_nothing_lost_nothing_twice(stack, services, label_studio_client, rounds=2)
    api, *workers = team.stop()
    assert api in (0, -signal.SIGTERM)  # uvicorn shuts down, then passes the signal on
    assert workers == [0, 0]
    services.database.dispose()
