"""What the engine repairs by itself: jobs of unknown workers, old rows."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.core.clock import utc_now
from backend.core.exceptions import NotFound
from backend.jobs import queue
from backend.jobs.engine import Engine
from backend.jobs.registry import Registry
from backend.models import Job, Worker
from tests.backend.jobs.conftest import Store

DAY = timedelta(days=1)


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.add("test.sync", lambda _context, _args: None, is_routine=True)
    registry.add("test.train", lambda _context, _args: None, queue="heavy")
    return registry


@pytest.fixture
def engine(sqlite_store: Store, registry: Registry) -> Iterator[Engine]:
    engine = Engine(sqlite_store.database, registry, utc_now)
    engine.start()
    yield engine
    engine.stop()


def change(store: Store, job_id: str, **values: object) -> None:
    with store.database.transaction() as session:
        session.execute(update(Job).where(col(Job.id) == job_id).values(**values))


def test_a_job_of_a_worker_that_nobody_knows_is_run_again(
    sqlite_store: Store, engine: Engine
) -> None:
    store = sqlite_store
    with store.database.transaction() as session:
        session.add(
            Worker(id="known", host="here", pid=1, instance="a", started_at=utc_now()),
        )
    rows = {}
    for worker in ("known", "unknown"):
        with store.database.transaction() as session:
            rows[worker] = f"test.sync-{worker}"
            session.add(
                Job(
                    id=rows[worker],
                    name="test.sync",
                    args={},
                    status="running",
                    attempt=1,
                    worker_id=worker,
                    enqueued_at=utc_now(),
                )
            )
    assert engine.take_over_from_unknown() == [rows["unknown"]]
    assert engine.take_over_from_unknown() == []
    job = store.wait_for_status(rows["unknown"], "done")
    assert (job.attempt, job.crashes) == (2, 1)
    assert store.job(rows["known"]).status == "running"


def test_finished_rows_are_purged_by_age_and_kind(sqlite_store: Store, engine: Engine) -> None:
    store = sqlite_store
    now = utc_now()
    ages = {
        ("test.sync", "done", 2): False,
        ("test.sync", "done", 0): True,
        ("test.sync", "failed", 2): True,
        ("test.sync", "failed", 15): False,
        ("test.train", "done", 2): True,
        ("test.train", "done", 15): False,
        ("test.train", "running", 15): True,
    }
    jobs = {}
    for name, status, days in ages:
        jobs[name, status, days] = job_id = f"{name}-{status}-{days}"
        finished_at = None if status == "running" else now - days * DAY
        job = Job(id=job_id, name=name, args={}, status=status, enqueued_at=now)
        job.finished_at = finished_at
        with store.database.transaction() as session:
            session.add(job)
    engine.purge()

    def exists(job_id: str) -> bool:
        with store.database.reading() as session:
            try:
                queue.get(session, job_id)
            except NotFound:
                return False
        return True

    assert {case: exists(job_id) for case, job_id in jobs.items()} == ages
