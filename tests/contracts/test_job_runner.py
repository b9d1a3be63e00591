"""What every way of running jobs keeps to: the workers' engine and the inline runner."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.core.clock import utc_now
from backend.core.database import Database
from backend.core.exceptions import InvalidInput, JobCancelled, Unavailable
from backend.jobs import queue
from backend.jobs.context import JobContext
from backend.jobs.engine import Engine
from backend.jobs.execution import MAX_CRASHES
from backend.jobs.inline import InlineRunner
from backend.jobs.leases import HeldLeases
from backend.jobs.registry import Registry
from backend.models import Job

MINUTE = timedelta(minutes=1)


@dataclass
class Runner:
    """One implementation; ``run`` returns when nothing is due."""

    database: Database
    registry: Registry
    run: Callable[[], None]
    calls: list[str] = field(default_factory=list)

    def handle(self, name: str, handler: Callable[[JobContext, dict[str, Any]], Any]) -> None:
        def counted(context: JobContext, args: dict[str, Any]) -> Any:
            self.calls.append(context.job_id)
            return handler(context, args)

        self.registry.add(name, counted)

    def enqueue(self, name: str, **args: Any) -> str:
        with self.database.transaction() as session:
            return queue.enqueue(session, name, args=args, now=utc_now())

    def job(self, job_id: str) -> Job:
        with self.database.reading() as session:
            return queue.get(session, job_id)

    def change(self, job_id: str, **values: Any) -> None:
        with self.database.transaction() as session:
            session.execute(update(Job).where(col(Job.id) == job_id).values(**values))


def inline(database: Database, registry: Registry, _data_dir: Path) -> Iterator[Runner]:
    inline_runner = InlineRunner(database, registry, utc_now)

    def run() -> None:
        inline_runner.run_pending()

    yield Runner(database, registry, run)


def threads(database: Database, registry: Registry, _data_dir: Path) -> Iterator[Runner]:
    engine = Engine(database, registry, utc_now)
    engine.start()

    def due() -> bool:
        with database.reading() as session:
            jobs = queue.list_recent(session, statuses=("queued", "running", "waiting"))
        return any(
            job.status != "waiting" or (job.not_before or utc_now()) <= utc_now() for job in jobs
        )

    def run() -> None:
        deadline = time.monotonic() + 20
        while due():
            assert time.monotonic() < deadline, "jobs are still due"
            time.sleep(0.02)

    yield Runner(database, registry, run)
    engine.stop()


@pytest.fixture(scope="module", params=[inline, threads])
def shared_runner(
    request: pytest.FixtureRequest,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Runner]:
    data_dir = tmp_path_factory.mktemp("jobs")
    shutil.copyfile(sqlite_template, data_dir / "assay.sqlite3")
    database = Database(f"sqlite:///{data_dir / 'assay.sqlite3'}")
    yield from request.param(database, Registry(), data_dir)
    database.dispose()


@pytest.fixture
def runner(shared_runner: Runner) -> Iterator[Runner]:
    shared_runner.calls.clear()
    yield shared_runner
    with shared_runner.database.transaction() as session:
        for job in queue.list_recent(session, statuses=("queued", "waiting")):
            queue.request_cancel(session, job.id, now=utc_now())


def test_a_result_is_kept(runner: Runner) -> None:
    runner.handle("test.add", lambda _context, args: {"sum": args["a"] + args["b"]})
    job_id = runner.enqueue("test.add", a=2, b=40)
    runner.run()
    job = runner.job(job_id)
    assert (job.status, job.result, job.progress, job.attempt) == ("done", {"sum": 42}, 1.0, 1)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.finished_at >= job.started_at >= job.enqueued_at


def test_a_finished_job_is_not_run_again(runner: Runner) -> None:
    runner.handle("test.once", lambda _context, _args: None)
    runner.enqueue("test.once")
    runner.run()
    runner.run()
    assert len(runner.calls) == 1


def test_jobs_enqueued_by_jobs_run_too(runner: Runner) -> None:
    runner.handle("test.second", lambda _context, _args: None)
    runner.handle("test.first", lambda _context, _args: {"next": runner.enqueue("test.second")})
    first = runner.enqueue("test.first")
    runner.run()
    result = runner.job(first).result
    assert result is not None
    assert runner.job(result["next"]).status == "done"


def test_an_error_fails_the_job_and_says_why(runner: Runner) -> None:
    def refuse(_context: JobContext, _args: dict[str, Any]) -> None:
        raise InvalidInput("The field 'grade' is missing.", remedy="Map a column to it.")

    runner.handle("test.refuse", refuse)
    runner.handle("test.bug", lambda _context, args: {"x": args["missing"]})
    runner.handle("test.unprintable", lambda _context, _args: {"x": object()})
    refused, bug = runner.enqueue("test.refuse"), runner.enqueue("test.bug")
    unprintable, unknown = runner.enqueue("test.unprintable"), runner.enqueue("test.unknown")
    runner.run()
    assert runner.job(refused).error == (
        "InvalidInput: The field 'grade' is missing. Map a column to it."
    )
    assert "KeyError: 'missing' (at " in (runner.job(bug).error or "")
    assert "not JSON serializable" in (runner.job(unprintable).error or "")
    assert "No handler is registered for 'test.unknown'" in (runner.job(unknown).error or "")
    for job_id in (refused, bug, unprintable, unknown):
        assert runner.job(job_id).status == "failed"


def test_unavailable_waits_longer_each_time_and_ends_well(runner: Runner) -> None:
    is_up = threading.Event()

    def call(_context: JobContext, _args: dict[str, Any]) -> None:
        if not is_up.is_set():
            raise Unavailable("Label Studio is away.")

    runner.handle("test.call", call)
    job_id = runner.enqueue("test.call")
    pauses = []
    for _ in range(8):
        runner.run()
        job = runner.job(job_id)
        assert job.status == "waiting"
        assert job.not_before is not None
        pauses.append(round((job.not_before - utc_now()).total_seconds()))
        runner.change(job_id, not_before=utc_now() - MINUTE)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    is_up.set()
    runner.run()
    assert (runner.job(job_id).status, runner.job(job_id).error) == ("done", None)


def test_a_full_disk_is_waited_out(runner: Runner) -> None:
    def write(_context: JobContext, _args: dict[str, Any]) -> None:
        with Path("/dev/full").open("w") as file:
            file.write("x" * 100_000)

    runner.handle("test.write", write)
    job_id = runner.enqueue("test.write")
    runner.run()
    assert runner.job(job_id).status == "waiting"
    assert "No space left" in (runner.job(job_id).error or "")


def test_cancelling_stops_at_a_safe_point(runner: Runner) -> None:
    def work(context: JobContext, _args: dict[str, Any]) -> None:
        with runner.database.transaction() as session:
            queue.request_cancel(session, context.job_id, now=utc_now())
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            context.check_cancelled()
            time.sleep(0.02)

    runner.handle("test.long", work)
    job_id = runner.enqueue("test.long")
    runner.run()
    assert runner.job(job_id).status == "cancelled"


def test_what_was_cancelled_before_it_started_never_runs(runner: Runner) -> None:
    runner.handle("test.never", lambda _context, _args: None)
    job_id = runner.enqueue("test.never")
    with runner.database.transaction() as session:
        queue.request_cancel(session, job_id, now=utc_now())
    runner.run()
    assert runner.job(job_id).status == "cancelled"
    assert runner.calls == []


def test_progress_is_seen_while_the_job_runs_even_in_a_transaction(runner: Runner) -> None:
    seen: list[tuple[float, str]] = []

    def work(context: JobContext, _args: dict[str, Any]) -> None:
        with runner.database.transaction():
            context.progress(0.25, "a quarter")  # must not wait for our own lock
        deadline = time.monotonic() + 5
        while not seen and time.monotonic() < deadline:
            job = runner.job(context.job_id)
            if job.progress:
                seen.append((job.progress, job.message))
            time.sleep(0.02)
        context.progress(7.0, "the end")
        with runner.database.transaction() as session:
            queue.request_cancel(session, context.job_id, now=utc_now())
        while not context.should_stop():
            time.sleep(0.02)
        raise JobCancelled("enough")

    runner.handle("test.work", work)
    job_id = runner.enqueue("test.work")
    runner.run()
    assert seen == [(0.25, "a quarter")]
    assert (runner.job(job_id).progress, runner.job(job_id).message) == (1.0, "the end")


def test_a_stop_that_nobody_asked_for_is_no_cancellation(runner: Runner) -> None:
    attempts: list[int] = []

    def work(context: JobContext, _args: dict[str, Any]) -> None:
        attempts.append(context.attempt)
        if len(attempts) == 1:  # told to stop because its lease had lapsed, as a library says it
            raise JobCancelled("Stopped on request while encoding texts.")

    runner.handle("test.stopped", work)
    job_id = runner.enqueue("test.stopped")
    runner.run()
    assert runner.job(job_id).status == "done"
    assert attempts == [1, 2]


def test_a_job_waits_for_a_held_lease(runner: Runner) -> None:
    def train(context: JobContext, _args: dict[str, Any]) -> None:
        with context.lease("train:1"):
            pass

    runner.handle("test.train", train)
    other = HeldLeases(
        runner.database, utc_now, job_id="other", attempt=1, ttl=timedelta(seconds=30)
    )
    other.acquire("train:1")
    job_id = runner.enqueue("test.train")
    runner.run()
    assert runner.job(job_id).status == "waiting"
    assert "held by job other#1" in (runner.job(job_id).error or "")
    other.release("train:1")
    runner.change(job_id, not_before=utc_now() - MINUTE)
    runner.run()
    assert runner.job(job_id).status == "done"


def test_a_job_that_kills_its_workers_fails_in_the_end(runner: Runner) -> None:
    runner.handle("test.bomb", lambda _context, _args: None)
    job_id = runner.enqueue("test.bomb")
    runner.change(job_id, crashes=MAX_CRASHES + 1)
    runner.run()
    assert runner.job(job_id).status == "failed"
    assert f"died {MAX_CRASHES + 1} times" in (runner.job(job_id).error or "")
    assert runner.calls == []
