"""Several workers on PostgreSQL: takeover, exclusion, names."""

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlmodel import select

from backend.core.clock import utc_now
from backend.jobs.presence import Presence, living_workers
from backend.jobs.worker_repository import lock_number
from backend.models import Worker
from tests.backend.jobs.conftest import Store

pytestmark = pytest.mark.postgres


def test_a_live_worker_takes_over_from_a_dead_one(postgres_store: Store) -> None:
    store = postgres_store
    first = store.start_worker("worker-1")
    slow = [store.enqueue("test.slow", steps=25) for _ in range(4)]
    store.wait("all running", lambda: all(store.job(job_id).attempt for job_id in slow))
    first.kill()
    store.start_worker("worker-2")
    for job_id in slow:
        job = store.wait_for_status(job_id, "done")
        assert store.effects(job_id) == list(range(25))
        assert (job.worker_id, job.crashes) == ("worker-2", 1)


def test_a_worker_that_was_only_asleep_can_not_spoil_its_successors_job(
    postgres_store: Store,
) -> None:
    store = postgres_store
    first = store.start_worker("worker-1")
    job_id = store.enqueue("test.slow", steps=40)
    store.wait("running", lambda: len(store.effects(job_id)) > 3)
    os.kill(first.pid, signal.SIGSTOP)
    store.start_worker("worker-2")
    store.wait("taken over", lambda: store.job(job_id).worker_id == "worker-2")
    os.kill(first.pid, signal.SIGCONT)
    job = store.wait_for_status(job_id, "done")
    assert (job.worker_id, job.attempt) == ("worker-2", 2)
    assert store.effects(job_id) == list(range(40))
    # Its id was given to nobody, but its row was removed: it must notice and stop.
    assert first.wait(20) == 0


def test_a_lease_excludes_across_three_workers(postgres_store: Store) -> None:
    store = postgres_store
    for number in range(3):
        store.start_worker(f"worker-{number}")
    jobs = [store.enqueue("test.exclusive") for _ in range(9)]
    store.wait(
        "all done", lambda: all(store.job(job_id).status == "done" for job_id in jobs), seconds=40
    )
    intervals = sorted(tuple(map(float, line.split())) for line in store.lines("intervals"))
    assert len(intervals) == len(jobs)
    overlaps = [b for a, b in pairwise(intervals) if b[0] < a[1]]
    assert overlaps == []
    workers = {store.job(job_id).worker_id for job_id in jobs}
    assert len(workers) > 1


def test_who_is_silent_is_found_dead_whatever_the_clocks_say(postgres_store: Store) -> None:
    store = postgres_store
    settings = store.settings.model_copy(update={"worker_timeout_seconds": 0.6})
    now = [datetime(2026, 3, 1, 13, tzinfo=UTC)]
    silent, alive, watching = (
        Presence(store.database, lambda: now[0], settings, name)
        for name in ("silent", "alive", "watching")
    )
    for each in (silent, alive, watching):
        each.join()
    now[0] -= timedelta(hours=1)
    assert watching.dead_workers() == []
    deadline = time.monotonic() + 5
    while not (dead := watching.dead_workers()):
        assert time.monotonic() < deadline
        assert alive.beat()
        assert watching.beat()
        time.sleep(0.05)
    assert [worker.id for worker in dead] == ["silent"]
    watching.forget(dead[0])
    assert not silent.beat(), "it has been forgotten: it must stop"
    for each in (alive, watching):
        each.leave()


def test_a_living_worker_whose_session_was_cut_takes_its_lock_back(postgres_store: Store) -> None:
    store = postgres_store
    settings = store.settings.model_copy(update={"worker_timeout_seconds": 20.0})
    cut, watching = (
        Presence(store.database, utc_now, settings, name) for name in ("cut", "watching")
    )
    for each in (cut, watching):
        each.join()
    with store.database.reading() as session:
        workers = list(session.exec(select(Worker)))
        assert living_workers(session, workers) == {"cut", "watching"}
        session.execute(
            text(
                "select pg_terminate_backend(pid) from pg_locks "
                "where locktype = 'advisory' and objid = :number"
            ),
            {"number": lock_number("cut")},
        )
    store.wait("cut", lambda: "cut" not in alive_on(store))
    assert watching.dead_workers() == [], "there is time to come back"
    assert cut.beat()
    assert alive_on(store) == {"cut", "watching"}
    for each in (cut, watching):
        each.leave()
    assert alive_on(store) == set()


def alive_on(store: Store) -> set[str]:
    with store.database.reading() as session:
        return living_workers(session, list(session.exec(select(Worker))))


def test_a_name_in_use_is_refused(postgres_store: Store) -> None:
    store = postgres_store
    first = store.start_worker("worker-1")
    store.wait_for_status(store.enqueue("test.quick"), "done")
    second = store.start_worker("worker-1")
    assert second.wait(20) == 1
    log = (store.data_dir / "worker-1.log").read_text()
    assert f"Worker 'worker-1' already runs as process {first.pid}" in log
    assert first.wait(0) is None
