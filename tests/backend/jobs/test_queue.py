"""The outbox: a job exists if and only if the transaction that enqueued it committed."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.core.clock import utc_now
from backend.core.database import Database
from backend.core.exceptions import NotFound
from backend.jobs import queue
from backend.jobs.execution import LONGEST_WAIT, MAX_RETRY_SECONDS, Outcome, claim, record
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


def test_one_unclaimed_job_serves_all_who_ask_and_args_are_told_apart(store: Store) -> None:
    def ask(**args: object) -> str:
        with store.database.transaction() as session:
            return queue.enqueue_if_none_waiting(session, "test.quick", args=args, now=utc_now())

    first, full = ask(), ask(is_full=True)
    assert first != full
    assert (ask(), ask(is_full=True)) == (first, full)
    with store.database.transaction() as session:
        waiting = JobRepository(session).get(first)
        assert waiting is not None
        waiting.status, waiting.not_before = "waiting", utc_now() + timedelta(seconds=30)
    assert ask() == first, "while something is away, requests do not pile up"
    claim(store.database, utc_now, Names(), "worker", 10)
    assert ask(is_full=True) != full


def test_what_comes_again_and_again_keeps_one_row(store: Store) -> None:
    def renew(**args: object) -> str:
        with store.database.transaction() as session:
            return queue.renew(session, "test.quick", args=args, key="periodic", now=utc_now())

    job_id = renew(n=1)
    assert renew(n=2) == job_id
    assert store.job(job_id).args == {"n": 1}, "an unfinished one stays as it is"
    (job,) = claim(store.database, utc_now, Names(), "worker", 10)
    record(store.database, utc_now, job.id, Outcome(job.attempt, "failed", error="no"))
    assert renew(n=3) == job_id
    renewed = store.job(job_id)
    assert (renewed.status, renewed.args, renewed.error) == ("queued", {"n": 3}, None)
    assert renewed.attempt == 1, "attempts go on: the fence of earlier ones"


@pytest.mark.postgres
@pytest.mark.parametrize("moment", ["before the claim", "while it is claimed", "after the claim"])
def test_a_request_that_meets_a_claim_is_never_missed(postgres_store: Store, moment: str) -> None:
    """The job that runs after the request has committed sees what the request is about."""
    store, worker = postgres_store, Database(postgres_store.url)
    store.enqueue("test.refresh")
    seen: list[list[int]] = []

    def refresh(limit: int = 10) -> None:
        """A worker's turn: claim what can be claimed, then look at the answers."""
        for job in claim(worker, utc_now, Names(), "worker", limit):
            seen.append(store.effects("answer"))
            record(worker, utc_now, job.id, Outcome(job.attempt, "done"))

    with store.database.transaction() as answering:
        answering.execute(text("insert into effect values ('answer', 1)"))
        if moment == "after the claim":
            refresh()
        if moment == "while it is claimed":
            with worker.transaction() as claiming:
                (job,) = JobRepository(claiming).lock_due(
                    Names(), utc_now(), 1, longest_wait=LONGEST_WAIT
                )
                queue.enqueue_if_none_waiting(answering, "test.refresh", now=utc_now())
                job.status = "done"
            seen.append(store.effects("answer"))
        else:
            queue.enqueue_if_none_waiting(answering, "test.refresh", now=utc_now())
            refresh()  # the answer is not committed yet
    refresh()
    assert seen[-1] == [1], f"the answer has missed its refresh: {seen}"
    worker.dispose()
