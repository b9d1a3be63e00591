"""A real worker process whose handlers leave traces; tests start and kill it.

``kill_point`` names the place where the process kills itself with SIGKILL. Effects are rows
of the table ``effect`` (unique by job and step), attempts are lines of the file ``attempts``.
"""

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from backend import worker
from backend.core.clock import utc_now
from backend.core.database import Database
from backend.core.exceptions import Unavailable
from backend.core.settings import Settings
from backend.jobs.context import JobContext
from backend.jobs.engine import Engine
from backend.jobs.execution import Outcome
from backend.jobs.registry import QueueClass, Registry
from backend.models import Job

EFFECTS = "create table effect (job_id text, step integer, primary key (job_id, step))"


class Traces:
    """What the handlers leave behind."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self.database = database
        self.data_dir = data_dir

    def attempt(self, context: JobContext) -> None:
        self.line("attempts", f"{context.job_id} {context.attempt} {os.getpid()}")

    def line(self, name: str, content: str) -> None:
        with (self.data_dir / name).open("a") as file:
            file.write(content + "\n")

    def effect(self, context: JobContext, step: int) -> None:
        with self.database.transaction() as session:
            session.execute(
                text("insert into effect values (:job, :step) on conflict do nothing"),
                {"job": context.job_id, "step": step},
            )


def registry_of(traces: Traces) -> Registry:
    def quick(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        traces.attempt(context)
        traces.effect(context, 0)
        return {"echo": args}

    def slow(context: JobContext, args: dict[str, Any]) -> None:
        traces.attempt(context)
        for step in range(args["steps"]):
            context.check_cancelled()
            traces.effect(context, step)
            context.progress((step + 1) / args["steps"], f"step {step}")
            time.sleep(0.05)

    def flaky(context: JobContext, args: dict[str, Any]) -> None:
        traces.attempt(context)
        if not Path(args["until"]).exists():
            raise Unavailable("Label Studio does not answer.", remedy="Start it.")
        traces.effect(context, 0)

    def exclusive(context: JobContext, args: dict[str, Any]) -> None:
        with context.lease("train:1"):
            begin = time.time()
            time.sleep(0.05)
            traces.effect(context, 0)
            traces.line("intervals", f"{begin} {time.time()}")

    registry = Registry()
    registry.add_all({"test.quick": quick, "test.slow": slow, "test.flaky": flaky})
    registry.add("test.exclusive", exclusive, queue="heavy")
    return registry


class KilledEngine(Engine):
    """Dies at the kill point; each is between two steps that must not be torn apart."""

    kill_point = ""

    def _claim(self, queue: QueueClass, limit: int) -> list[Job]:
        if self.kill_point == "before-claim":
            os.kill(os.getpid(), signal.SIGKILL)
        jobs = super()._claim(queue, limit)
        if self.kill_point == "after-claim":
            os.kill(os.getpid(), signal.SIGKILL)
        return jobs

    def _record(self, job: Job, outcome: Outcome) -> bool:
        if self.kill_point == "before-outcome-is-recorded":
            os.kill(os.getpid(), signal.SIGKILL)
        recorded = super()._record(job, outcome)
        if self.kill_point == "after-outcome-is-recorded":
            os.kill(os.getpid(), signal.SIGKILL)
        return recorded


def main(store_url: str, data_dir: Path, worker_id: str, kill_point: str) -> None:
    with (data_dir / f"{worker_id}.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings(
        database_url=store_url,
        data_dir=data_dir,
        worker_id=worker_id,
        heartbeat_seconds=0.3,
        worker_timeout_seconds=1.5,
    )
    database = Database(settings.store_url)
    KilledEngine.kill_point = kill_point
    worker.Engine = KilledEngine  # type: ignore[attr-defined]
    worker.run_worker(database, settings, registry_of(Traces(database, data_dir)), utc_now)
