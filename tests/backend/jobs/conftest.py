import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.core.clock import utc_now
from backend.core.database import Database
from backend.core.settings import Settings
from backend.jobs import queue
from backend.models import Job
from tests.backend.jobs.worker_process import EFFECTS, main

# Workers are forked from a server that has the modules loaded: a second saved at each start.
FORK_SERVER = multiprocessing.get_context("forkserver")
FORK_SERVER.set_forkserver_preload(["tests.backend.jobs.worker_process"])


class Process:
    """A worker process; the exit code is minus the signal that killed it."""

    def __init__(self, *args: object) -> None:
        self._process = FORK_SERVER.Process(target=main, args=args)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        self._process.join(seconds)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._process.join(10)


@dataclass
class Store:
    """A migrated store, and real worker processes on it."""

    url: str
    data_dir: Path
    database: Database = field(init=False)
    workers: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = Database(self.url)
        with self.database.transaction() as session:
            session.execute(text(EFFECTS))

    @property
    def settings(self) -> Settings:
        return Settings(database_url=self.url, data_dir=self.data_dir)

    def enqueue(self, name: str, key: str | None = None, **args: object) -> str:
        with self.database.transaction() as session:
            return queue.enqueue(session, name, args=args, key=key, now=utc_now())

    def job(self, job_id: str) -> Job:
        with self.database.reading() as session:
            return queue.get(session, job_id)

    def effects(self, job_id: str) -> list[int]:
        with self.database.reading() as session:
            rows = session.execute(
                text("select step from effect where job_id = :job order by step"), {"job": job_id}
            )
            return [row[0] for row in rows]

    def lines(self, name: str) -> list[str]:
        path = self.data_dir / name
        return path.read_text().splitlines() if path.exists() else []

    def start_worker(self, worker_id: str = "worker-1", kill_point: str = "") -> Process:
        process = Process(self.url, self.data_dir, worker_id, kill_point)
        self.workers.append(process)
        return process

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(
                    path.read_text()[-3000:] for path in sorted(self.data_dir.glob("*.log"))
                )
                pytest.fail(f"not within {seconds} s: {what}\n{logs}")
            time.sleep(0.03)

    def wait_for_status(self, job_id: str, status: str, seconds: float = 20.0) -> Job:
        self.wait(f"{job_id} {status}", lambda: self.job(job_id).status == status, seconds)
        return self.job(job_id)

    def close(self) -> None:
        for process in self.workers:
            process.kill()
        self.database.dispose()


@pytest.fixture
def store(migrated_url: str, tmp_path: Path) -> Iterator[Store]:
    store = Store(migrated_url, tmp_path)
    yield store
    store.close()


@pytest.fixture
def sqlite_store(sqlite_url: str, tmp_path: Path) -> Iterator[Store]:
    store = Store(sqlite_url, tmp_path)
    yield store
    store.close()


@pytest.fixture
def postgres_store(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    store = Store(postgres_url, tmp_path)
    yield store
    store.close()
