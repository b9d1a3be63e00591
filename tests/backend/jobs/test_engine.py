"""What the engine repairs by itself: lost workflows, old rows."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.core.clock import utc_now
from backend.core.exceptions import NotFound
from backend.jobs import queue
from backend.jobs.engine import Engine
from backend.jobs.registry import Registry
from backend.models import Job
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
    engine = Engine(sqlite_store.database, sqlite_store.settings, registry, utc_now)
    engine.start()
    yield engine
    engine.stop()


def change(store: Store, job_id: str, **values: object) -> None:
    with store.database.transaction() as session:
        session.execute(update(Job).where(col(Job.id) == job_id).values(**values))


def test_a_job_that_the_engine_lost_is_run_again(sqlite_store: Store, engine: Engine) -> None:
    store = sqlite_store
    lost, handed_over_lately = store.enqueue("test.sync"), store.enqueue("test.sync")
    change(store, lost, handed_over_at=utc_now() - DAY)
    change(store, handed_over_lately, handed_over_at=utc_now())
    assert engine.hand_over() == 0
    assert engine.requeue_lost() == [lost]
    assert engine.requeue_lost() == []
    engine.hand_over()
    store.wait_for_status(lost, "done")
    assert store.job(handed_over_lately).status == "queued"


def test_a_repeated_hand_over_runs_a_job_once(sqlite_store: Store, engine: Engine) -> None:
    store = sqlite_store
    job_id = store.enqueue("test.train")
    for _ in range(3):
        assert engine.hand_over() == 1
        change(store, job_id, handed_over_at=None)
    engine.hand_over()
    store.wait_for_status(job_id, "done")
    time.sleep(0.3)
    assert store.job(job_id).attempt == 1


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
        jobs[name, status, days] = job_id = store.enqueue(name)
        finished_at = None if status == "running" else now - days * DAY
        change(store, job_id, status=status, finished_at=finished_at, handed_over_at=now)
    engine.purge()

    def exists(job_id: str) -> bool:
        with store.database.reading() as session:
            try:
                queue.get(session, job_id)
            except NotFound:
                return False
        return True

    assert {case: exists(job_id) for case, job_id in jobs.items()} == ages


def test_finished_workflows_are_purged(
    sqlite_store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store

    def workflows() -> int:
        with closing(sqlite3.connect(store.data_dir / "jobs.sqlite3")) as connection:
            rows = connection.execute("select count(*) from workflow_status").fetchone()
        return int(rows[0])

    jobs = [store.enqueue("test.sync") for _ in range(5)]
    engine.hand_over()
    for job_id in jobs:
        store.wait_for_status(job_id, "done")
    engine.purge()
    assert workflows() == len(jobs)
    monkeypatch.setattr("backend.jobs.engine.WORKFLOW_RETENTION", -timedelta(minutes=1))
    store.wait("workflows purged", lambda: engine.purge() is None and workflows() == 0, 5)
