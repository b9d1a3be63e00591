"""Workers hear of jobs at once, and do nothing at all where there is nothing to do."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from sqlalchemy import text

from backend.core.clock import utc_now
from backend.core.database import Database
from backend.jobs import queue
from backend.jobs.doorbell import doorbell_of
from backend.jobs.engine import LOOK_SECONDS
from tests.backend.jobs.conftest import Store

SOON = LOOK_SECONDS / 2


def seconds_of(wait: Callable[[], None]) -> float:
    started = time.monotonic()
    wait()
    return time.monotonic() - started


def test_a_job_of_another_process_rings_and_silence_does_not(store: Store) -> None:
    bell, other = doorbell_of(store.database), Database(store.url)
    bell.wait(1.0)  # PostgreSQL's rings once for what came before it listened
    assert seconds_of(lambda: bell.wait(0.5)) >= 0.45

    def enqueue() -> None:
        with other.transaction() as session:
            queue.enqueue(session, "test.quick", now=utc_now())

    threading.Timer(0.3, enqueue).start()
    assert 0.2 < seconds_of(lambda: bell.wait(LOOK_SECONDS)) < SOON
    threading.Timer(0.3, bell.ring).start()
    assert seconds_of(lambda: bell.wait(LOOK_SECONDS)) < SOON
    bell.close()
    other.dispose()


@pytest.mark.postgres
def test_a_bell_that_lost_its_connection_makes_a_new_one(postgres_store: Store) -> None:
    store = postgres_store
    bell, other = doorbell_of(store.database), Database(store.url)
    bell.wait(1.0)
    with other.transaction() as session:
        session.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where query like 'LISTEN%' and datname = current_database()"
            )
        )
    bell.wait(LOOK_SECONDS)  # it looks for what it may have missed
    with other.transaction() as session:
        queue.enqueue(session, "test.quick", now=utc_now())
    assert seconds_of(lambda: bell.wait(LOOK_SECONDS)) < SOON
    bell.close()
    other.dispose()


@pytest.mark.postgres
def test_a_job_whose_row_was_held_starts_when_it_is_let_go(postgres_store: Store) -> None:
    store = postgres_store
    job_id = store.enqueue("test.quick")
    with store.database.transaction() as session:
        assert queue.enqueue_if_none_waiting(session, "test.quick", now=utc_now()) == job_id
        store.start_worker()
        other = store.enqueue("test.slow", steps=1)
        store.wait_for_status(other, "done")
        assert store.job(job_id).status == "queued"
    assert seconds_of(lambda: store.wait_for_status(job_id, "done") and None) < SOON


def test_a_worker_without_work_writes_nothing(sqlite_store: Store) -> None:
    store = sqlite_store
    store.start_worker()
    store.wait_for_status(store.enqueue("test.quick"), "done")
    time.sleep(0.5)
    with closing(sqlite3.connect(store.data_dir / "assay.sqlite3")) as connection:
        before = connection.execute("pragma data_version").fetchone()
        time.sleep(3.0)
        assert connection.execute("pragma data_version").fetchone() == before
