"""A failed or cancelled job is queued anew, once, in a row of its own."""

from datetime import timedelta

import pytest

from backend.core.clock import utc_now
from backend.core.exceptions import Conflict, NotFound
from backend.jobs import queue
from backend.jobs.execution import Outcome, claim, record
from backend.jobs.repository import JobRepository, Names
from backend.models import Job
from tests.backend.jobs.conftest import Store


def end(store: Store, job_id: str, status: str) -> None:
    with store.database.transaction() as session:
        job = JobRepository(session).get(job_id)
        assert job is not None
        job.status, job.finished_at, job.error = status, utc_now(), "it went wrong"


def retry(store: Store, job_id: str) -> Job:
    with store.database.transaction() as session:
        return queue.retry(session, job_id, now=utc_now())


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_the_same_work_is_queued_anew_and_the_first_row_stays(store: Store, status: str) -> None:
    first = store.enqueue("test.quick", key="one", a=1)
    end(store, first, status)
    anew = retry(store, first)
    assert (anew.status, anew.name, anew.args) == ("queued", "test.quick", {"a": 1})
    assert anew.id != first
    held = store.job(first)
    assert (held.status, held.error) == (status, "it went wrong")


def test_asking_again_changes_nothing(store: Store) -> None:
    first = store.enqueue("test.quick")
    end(store, first, "failed")
    anew = retry(store, first)
    assert retry(store, first).id == anew.id
    (claimed,) = claim(store.database, utc_now, Names(), "worker", 10)
    assert claimed.id == anew.id
    assert retry(store, first).id == anew.id, "while it runs, too"


def test_a_retry_that_failed_is_tried_again_from_any_row_of_the_chain(store: Store) -> None:
    first = store.enqueue("test.quick", a=2)
    end(store, first, "failed")
    second = retry(store, first).id
    end(store, second, "cancelled")
    third = retry(store, first)
    assert third.id not in (first, second)
    assert retry(store, second).id == third.id
    with store.database.reading() as session:
        assert queue.newest_attempt(session, queue.get(session, first)).id == third.id
    record(store.database, utc_now, third.id, Outcome(third.attempt, "done"))
    end(store, third.id, "done")
    for job_id in (first, second, third.id):
        with pytest.raises(Conflict, match="has succeeded"):
            retry(store, job_id)


def test_what_has_succeeded_or_has_not_ended_is_refused(store: Store) -> None:
    job_id = store.enqueue("test.quick")
    with pytest.raises(Conflict, match="does the same and has not ended"):
        retry(store, job_id)
    end(store, job_id, "done")
    with pytest.raises(Conflict, match="has succeeded"):
        retry(store, job_id)
    with pytest.raises(NotFound):
        retry(store, "nothing")


def test_an_unfinished_twin_does_the_work_already_and_other_args_do_not(store: Store) -> None:
    failed = store.enqueue("test.quick", a=1)
    end(store, failed, "failed")
    store.enqueue("test.quick", a=2)
    twin = store.enqueue("test.quick", a=1)
    with pytest.raises(Conflict, match=twin):
        retry(store, failed)
    end(store, twin, "done")
    assert retry(store, failed).status == "queued"


def test_a_periodic_row_that_failed_again_can_be_tried_again(store: Store) -> None:
    def periodic() -> str:
        with store.database.transaction() as session:
            return queue.renew(session, "test.quick", args={}, key="periodic", now=utc_now())

    job_id = periodic()
    end(store, job_id, "failed")
    end(store, retry(store, job_id).id, "done")
    assert periodic() == job_id
    with store.database.transaction() as session:
        job = JobRepository(session).get(job_id)
        assert job is not None
        job.status, job.finished_at = "failed", utc_now() + timedelta(minutes=10)
    assert retry(store, job_id).status == "queued"
