"""A job that another worker took over publishes nothing more, however its handler writes."""

import ast
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

import backend
from backend.core.clock import utc_now
from backend.core.database import Database
from backend.jobs.context import JobContext
from backend.jobs.execution import Outcome, claim, execute, record
from backend.jobs.inline import InlineRunner
from backend.jobs.lease_repository import LeaseRepository
from backend.jobs.registry import Registry
from backend.jobs.repository import JobRepository, Names
from backend.models import Job
from tests.backend.jobs.conftest import Store

BACKEND = Path(backend.__file__).parent


def publish(database: Database, context: JobContext, step: int = 1) -> None:
    """As any room's service does: it knows nothing of jobs."""
    with database.transaction() as session:
        session.execute(
            text("insert into effect values (:job, :step)"), {"job": context.job_id, "step": step}
        )


def run(store: Store, handler: Callable[[JobContext], None]) -> tuple[Job, Outcome]:
    registry = Registry()
    registry.add("test.publish", lambda context, _args: handler(context))
    job_id = store.enqueue("test.publish")
    (job,) = claim(store.database, utc_now, Names(), "first", 1)
    assert job.id == job_id
    outcome = execute(store.database, utc_now, registry, job)
    record(store.database, utc_now, job.id, outcome)
    return store.job(job_id), outcome


def test_an_overtaken_attempt_publishes_nothing(store: Store) -> None:
    def handler(context: JobContext) -> None:
        other = Database(store.url)  # another process's: its transactions are not this job's
        with other.transaction() as session:
            JobRepository(session).requeue(context.job_id, context.attempt, crashed=True)
        assert claim(other, utc_now, Names(), "second", 1)
        other.dispose()
        publish(store.database, context)

    job, outcome = run(store, handler)
    assert outcome.status == "queued", "interrupted, not failed"
    assert store.effects(job.id) == []
    assert (job.status, job.worker_id, job.attempt) == ("running", "second", 2)


@pytest.mark.postgres
def test_one_that_is_overtaken_while_its_transaction_is_open_publishes_nothing(
    postgres_store: Store,
) -> None:
    store = postgres_store

    def handler(context: JobContext) -> None:
        other = Database(store.url)
        with store.database.transaction() as session:
            session.execute(text("insert into effect values (:job, 1)"), {"job": context.job_id})
            with other.transaction() as elsewhere:
                JobRepository(elsewhere).requeue(context.job_id, context.attempt, crashed=True)
        other.dispose()

    job, outcome = run(store, handler)
    assert outcome.status == "queued"
    assert store.effects(job.id) == []


def test_who_has_lost_its_lease_publishes_nothing(store: Store) -> None:
    def handler(context: JobContext) -> None:
        with context.lease("train:1"):
            publish(store.database, context)
            other, now = Database(store.url), utc_now() + timedelta(minutes=1)
            with other.transaction() as session:
                assert LeaseRepository(session).acquire(
                    "train:1",
                    holder="other#1",
                    now=now,
                    expires_at=now + timedelta(seconds=15),
                    longest=timedelta(seconds=15),
                )
            other.dispose()
            publish(store.database, context, step=2)

    job, outcome = run(store, handler)
    assert outcome.status == "queued"
    assert store.effects(job.id) == [1], "what it wrote while the lease was its own"


def test_valid_attempts_publish_and_jobs_do_not_guard_each_other(store: Store) -> None:
    registry = Registry()
    registry.add("test.publish", lambda context, _args: publish(store.database, context))
    jobs = [store.enqueue("test.publish") for _ in range(3)]
    assert InlineRunner(store.database, registry, utc_now).run_pending() == 3
    publish_outside = store.enqueue("test.publish")
    with store.database.transaction() as session:
        session.execute(text("insert into effect values (:job, 9)"), {"job": publish_outside})
    assert [store.effects(job_id) for job_id in jobs] == [[1]] * 3
    assert store.effects(publish_outside) == [9]


def test_no_room_writes_past_the_guard() -> None:
    """Connections and sessions are made by ``Database`` alone, and rooms start no threads.

    The guard is set for the handler's thread: what wrote in another one would not be asked.
    """
    own = {"core", "jobs"}  # the database itself, and what is kept whoever holds the job
    elsewhere = {
        "ingestion/readers/sql_table.py",  # reads somebody else's database
        "ingestion/first_lines.py",  # a private temporary file
        "embedded/stack.py",  # starts processes; runs in no job
        "demo/simulation.py",  # people, by HTTP; runs in no job
        "scoring/live_scorer.py",  # reads files, answers requests; runs in no job
    }
    forbidden = {
        ".unguarded_transaction",
        "Session",
        "create_engine",
        ".raw_connection",
        ".connect",
        ".begin",
        "Thread",
        ".Thread",
        "ThreadPoolExecutor",
    }
    found = []
    for path in sorted(BACKEND.rglob("*.py")):
        name = path.relative_to(BACKEND).as_posix()
        if name.split("/")[0] in own or name in elsewhere:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                what = f".{called.attr}" if isinstance(called, ast.Attribute) else ""
                what = called.id if isinstance(called, ast.Name) else what
                if what in forbidden:
                    found.append(f"{name}:{node.lineno} {what}")
    assert found == []
