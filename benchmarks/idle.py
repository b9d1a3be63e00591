"""What worker and API take while nothing happens, and how soon a job starts when something does.

    python -m benchmarks.idle [--quick] [--seconds N] [--projects N] [--jobs N] [--database-url URL]

API and worker run as processes of their own, on SQLite and on a PostgreSQL server of its own (or
at --database-url), with projects that are connected to a Label Studio in which nothing changes (a
stand-in that answers at once). After a pause in which they settle:

- ``worker_share``, ``api_share``: processor time of the process as a share of one core;
- ``writes_per_minute``: commits seen in the SQLite files, rows written on PostgreSQL;
- ``start_ms``, ``start_p95_ms``: from the commit of one job to its start, with the queue empty;
- ``jobs_per_second``: a heap of jobs that do next to nothing, until the last is done;
- ``job_rows``: rows that periodic jobs have left behind by the end.

The last line is one JSON object.
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from sqlalchemy import text
from tqdm import tqdm

from backend.core.database import Database
from backend.core.services import Services
from backend.embedded.processes import DetachedProcess
from backend.jobs import queue
from backend.label_studio.connection import project_marker
from backend.loop.job_names import APPLY_EVENTS
from backend.models import Dataset, Job, Project, SyncCursor
from benchmarks.processes import TOKEN, running_backend
from benchmarks.quiet_label_studio import quiet_label_studio
from benchmarks.review_queue import postgres
from labeling.label_schema import LabelSchema
from labeling.label_studio.direct import answers

SETTLE_SECONDS = 15.0
LOOK_SECONDS = 0.02
START_TIMEOUT_SECONDS = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 s, 10 starts, a heap of 200")
    parser.add_argument("--seconds", type=float, help="how long to look; default 120")
    parser.add_argument("--projects", type=int, default=3, help="connected to Label Studio")
    parser.add_argument("--jobs", type=int, help="jobs in the heap; default 1,000")
    parser.add_argument("--database-url", help="only this store, an empty PostgreSQL database")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (20.0 if arguments.quick else 120.0)
    heap = arguments.jobs or (200 if arguments.quick else 1_000)
    starts = 10 if arguments.quick else 30
    figures = {
        name: measure(url, seconds, arguments.projects, starts, heap)
        for name, url in stores(arguments.database_url)
    }
    print(json.dumps(figures))


def stores(url: str | None) -> Iterator[tuple[str, str | None]]:
    """Names and URLs of the stores to measure on; None for SQLite in a new folder."""
    if url:
        yield "postgresql", url
        return
    yield "sqlite", None
    with postgres() as found:
        if found is None:
            print("PostgreSQL is not installed: left out (scripts/system-packages installs it)")
        else:
            yield "postgresql", found


def measure(
    url: str | None, seconds: float, projects: int, starts: int, heap: int
) -> dict[str, float]:
    """The figures on one store."""
    with (
        tempfile.TemporaryDirectory() as folder,
        quiet_label_studio() as (label_studio_url, markers),
        running_backend(
            Path(folder), label_studio_url, TOKEN, "characters", database_url=url
        ) as services,
    ):
        await_answer(services)
        project_ids = connect_projects(services, projects, markers)
        run_job(services, project_ids[0])
        pause(SETTLE_SECONDS, "settling")
        names = ("worker", "serve")
        before = {name: cpu_seconds(services, name) for name in names}
        with writes_counted(services) as writes:
            started = time.monotonic()
            pause(seconds, "idle")
            looked = time.monotonic() - started
            after = {name: cpu_seconds(services, name) for name in names}
        rows = count_jobs(services)
        worker, api = ((after[name] - before[name]) / looked for name in names)
        latencies = [run_job(services, project_ids[0]) for _ in range(starts)]
        return {
            "worker_share": round(worker, 4),
            "api_share": round(api, 4),
            "writes_per_minute": round(writes() * 60 / looked, 1),
            "start_ms": round(1000 * statistics.median(latencies)),
            "start_p95_ms": round(1000 * sorted(latencies)[int(0.95 * len(latencies))]),
            "jobs_per_second": round(heap / run_heap(services, project_ids, heap)),
            "job_rows": rows,
            "seconds": round(looked),
            "projects": projects,
        }


def connect_projects(services: Services, count: int, markers: dict[int, str]) -> list[int]:
    """Projects without records whose counterparts Label Studio has; their ids."""
    now, made = services.clock(), []
    with services.database.transaction() as session:
        for number in range(1, count + 1):
            dataset = Dataset(
                name=f"idle-{number}", kind="product", fields=["title"], created_at=now
            )
            session.add(dataset)
            session.flush()
            project = Project(
                name=dataset.name,
                dataset_id=dataset.id,
                label_schema=LabelSchema.default(["title"]).model_dump(mode="json"),
                policy={},
                label_studio_project_id=number,
                created_at=now,
            )
            session.add(project)
            session.flush()
            session.add(SyncCursor(project_id=project.id))
            markers[number] = project_marker(project)
            made.append(project.id)
    return made


def await_answer(services: Services) -> None:
    """The API answers."""
    url = f"http://127.0.0.1:{services.settings.port}"
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not answers(url):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} does not answer")
        time.sleep(0.2)


def run_job(services: Services, project_id: int) -> float:
    """Seconds from the commit of a job to its start."""
    with services.database.transaction() as session:
        job_id = queue.enqueue(session, APPLY_EVENTS, project_id=project_id, now=services.clock())
    committed = services.clock()
    job = await_job(services, job_id)
    assert job.started_at is not None
    time.sleep(0.05 + 0.3 * (hash(job_id) % 100) / 100)  # out of step with any polling
    return max(0.0, (job.started_at - committed).total_seconds())


def await_job(services: Services, job_id: str) -> Job:
    """The job, done."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with services.database.reading() as session:
            job = queue.get(session, job_id)
        if job.status == "done":
            return job
        if job.status in ("failed", "cancelled"):
            raise RuntimeError(f"{job_id}: {job.error}")
        time.sleep(0.01)
    raise TimeoutError(f"{job_id} is {job.status}")


def run_heap(services: Services, project_ids: list[int], count: int) -> float:
    """Seconds until so many jobs, enqueued at once, are done."""
    with services.database.transaction() as session:
        for number in range(count):
            project_id = project_ids[number % len(project_ids)]
            queue.enqueue(session, APPLY_EVENTS, project_id=project_id, now=services.clock())
    started = time.monotonic()
    while open_jobs := count_jobs(services, "status in ('queued', 'running', 'waiting')"):
        if time.monotonic() - started > 600:
            raise TimeoutError(f"{open_jobs} jobs are still open")
        time.sleep(0.1)
    return time.monotonic() - started


def count_jobs(services: Services, condition: str = "name <> 'labeling.apply_events'") -> int:
    """How many job rows fulfil the condition."""
    with services.database.reading() as session:
        return int(
            session.execute(text(f"select count(*) from job where {condition}")).scalar_one()
        )


def cpu_seconds(services: Services, name: str) -> float:
    """Processor time that the process has taken since its start."""
    pid = DetachedProcess(services.settings.data_dir / f"{name}.json").pid
    if pid is None:
        raise RuntimeError(f"{name} has died")
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@contextmanager
def writes_counted(services: Services) -> Iterator[Callable[[], int]]:
    """A function that tells, inside and after, how many writes there were since the start."""
    if services.database.is_sqlite:
        with sqlite_commits(sorted(services.settings.data_dir.glob("*.sqlite3"))) as count:
            yield count
        return
    before = rows_written(services.database)
    found: list[int] = []
    yield lambda: found[0]
    found.append(rows_written(services.database) - before)


@contextmanager
def sqlite_commits(files: list[Path]) -> Iterator[Callable[[], int]]:
    """Commits to the files; several within LOOK_SECONDS count once."""
    ended, seen = threading.Event(), [0]

    def watch(file: Path) -> None:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            last = connection.execute("pragma data_version").fetchone()
            while not ended.wait(LOOK_SECONDS):
                version = connection.execute("pragma data_version").fetchone()
                seen[0] += version != last
                last = version

    threads = [threading.Thread(target=watch, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    try:
        yield lambda: seen[0]
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def rows_written(database: Database) -> int:
    """Rows inserted, updated and deleted in the whole database so far."""
    time.sleep(1.5)  # sessions report their counts about once a second
    with database.reading() as session:
        query = (
            "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables"
        )
        return int(session.execute(text(query)).scalar_one())


def pause(seconds: float, what: str) -> None:
    """Wait, and show it."""
    for _ in tqdm(range(round(seconds)), desc=what, leave=False):
        time.sleep(1.0)


if __name__ == "__main__":
    main()
