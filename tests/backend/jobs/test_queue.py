"""The outbox: a job exists if and only if the transaction that enqueued it committed."""

import threading
from datetime import timedelta

import pytest

from backend.core.clock import utc_now
from backend.core.exceptions import NotFound
from backend.jobs import queue
from backend.jobs.execution import LONGEST_WAIT, MAX_RETRY_SECONDS
from backend.jobs.repository import JobRepository, Names
from tests.backend.jobs.conftest import Store


def test_a_job_exists_only_if_the_transaction_commits(store: Store) -> None:
    ids = []

    def enqueue_and_fail() -> None:
        with store.database.transaction() as session:
            ids.append(queue.enqueue(session, "test.quick", now=utc_now()))
            raise RuntimeError("something else went wrong")

    with pytest.raises(RuntimeError):
        enqueue_and_fail()
    with store.database.reading() as session, pytest.raises(NotFound):
        queue.get(session, ids[0])


def test_the_same_key_makes_one_job_while_and_after_it_exists(store: Store) -> None:
    first = store.enqueue("test.quick", key="batch-1", a=1)
    assert store.enqueue("test.quick", key="batch-1", a=2) == first
    with store.database.transaction() as session:
        job = JobRepository(session).get(first)
        assert job is not None
        job.status = "done"
    assert store.enqueue("test.quick", key="batch-1") == first
    assert store.job(first).args == {"a": 1}
    assert store.job(first).status == "done"
    assert store.enqueue("test.quick", key="batch-2") != first
    assert store.enqueue("test.slow", key="batch-1") != first


def test_a_wait_from_before_the_clock_was_set_back_is_over(store: Store) -> None:
    job_id = store.enqueue("test.quick")
    now = utc_now()

    def is_due_when_it_waits_for(wait: timedelta) -> bool:
        with store.database.transaction() as session:
            job = JobRepository(session).get(job_id)
            assert job is not None
            job.status, job.not_before = "waiting", now + wait
        with store.database.transaction() as session:
            due = JobRepository(session).lock_due(Names(), now, 10, longest_wait=LONGEST_WAIT)
        return [job.id for job in due] == [job_id]

    assert not is_due_when_it_waits_for(timedelta(seconds=MAX_RETRY_SECONDS))
    assert is_due_when_it_waits_for(timedelta(hours=1))
    assert is_due_when_it_waits_for(timedelta(0))


def test_racing_enqueues_of_one_key_make_one_job_and_no_error(store: Store) -> None:
    barrier, ids, errors = threading.Barrier(6), [], []

    def enqueue() -> None:
        barrier.wait()
        try:
            with store.database.transaction() as session:
                ids.append(queue.enqueue(session, "test.quick", key="one", now=utc_now()))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=enqueue) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(ids) == 6
    with store.database.reading() as session:
        assert [job.id for job in queue.list_recent(session)] == [ids[0]]


def test_a_repeat_does_not_spoil_the_callers_transaction(store: Store) -> None:
    store.enqueue("test.quick", key="one")
    with store.database.transaction() as session:
        queue.enqueue(session, "test.quick", key="one", now=utc_now())
        other = queue.enqueue(session, "test.slow", key="one", now=utc_now())
    assert store.job(other).status == "queued"


def test_a_queued_job_is_cancelled_at_once(store: Store) -> None:
    job_id = store.enqueue("test.quick")
    with store.database.transaction() as session:
        assert queue.request_cancel(session, job_id, now=utc_now()).status == "cancelled"
        with pytest.raises(NotFound, match="no job 'nothing'"):
            queue.request_cancel(session, "nothing", now=utc_now())
