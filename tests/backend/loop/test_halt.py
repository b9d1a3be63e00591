"""Where the loop stands still, and what goes on by itself."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import delete, select

from backend.core.services import Services
from backend.core.settings import Settings
from backend.jobs import queue
from backend.loop.halt import halted_step, is_retry_due
from backend.loop.job_names import NEXT_BATCH, PUSH, RETRAIN
from backend.loop.repository import CHOSEN, NO_ROUND
from backend.loop.service import RETRY_FAILED_AFTER, LoopService
from backend.models import Batch, Job, Task
from tests.backend.annotations.conftest import TASKS
from tests.backend.loop.store import Store
from tests.backend.loop.test_service import LATER, answer, due, named, with_policy


def ended(store: Store, job: Job | None, status: str, at: datetime = LATER) -> Job:
    assert job is not None
    job.status, job.finished_at = status, at
    store.session.add(job)
    store.session.flush()
    return job


def halt(store: Store) -> str | None:
    job = halted_step(store.session, store.seeded.project_id)
    return None if job is None else job.name


def without_batches(store: Store) -> None:
    for table in (Task, Batch):
        store.session.execute(delete(table))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_first_batch_that_did_not_come_about_is_asked_for_again(
    store: Store, status: str
) -> None:
    with_policy(store)
    without_batches(store)
    loop = LoopService(store.session, lambda: LATER)
    assert due(store) is None, "nobody has asked for a batch"
    first = loop.request_batch(store.seeded.project, 1)
    assert first is not None
    assert named(due(store)) == NEXT_BATCH
    assert halt(store) is None
    ended(store, queue.get(store.session, first), status)
    assert halt(store) == NEXT_BATCH
    by_hand = loop.request_batch(store.seeded.project, 1)
    assert by_hand not in (None, first)
    assert queue.get(store.session, str(by_hand)).args == {"round": 1}
    assert halt(store) is None, "it is on its way again"
    assert loop.request_batch(store.seeded.project, 1) == by_hand, "asking again changes nothing"


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_first_batch_that_failed_comes_again_by_itself_and_a_cancelled_one_does_not(
    store: Store, status: str
) -> None:
    with_policy(store)
    without_batches(store)
    loop = LoopService(store.session, lambda: LATER)
    first = loop.request_batch(store.seeded.project, 1)
    ended(store, queue.get(store.session, str(first)), status)
    again = due(store, now=LATER + RETRY_FAILED_AFTER)
    assert named(again) == (NEXT_BATCH if status == "failed" else None)
    if again is not None:
        assert again.id != first


def test_a_first_batch_that_was_empty_is_asked_for_when_records_have_come(store: Store) -> None:
    with_policy(store)
    without_batches(store)
    loop = LoopService(store.session, lambda: LATER)
    job_id = loop.request_batch(store.seeded.project, 1)
    assert job_id is not None
    ended(store, queue.get(store.session, job_id), "done")
    assert due(store) is None
    assert loop.request_batch(store.seeded.project, 1) is None


def test_a_push_that_was_cancelled_stops_the_loop_until_it_is_tried_again(store: Store) -> None:
    with_policy(store)
    batch = store.session.exec(select(Batch)).one()
    batch.pushed_at = None
    store.session.flush()
    push = ended(store, due(store), "cancelled")
    assert push.name == PUSH
    assert due(store) is None
    assert halt(store) == PUSH
    anew = queue.retry(store.session, push.id, now=LATER)
    assert halt(store) is None
    assert due(store) == anew, "the retry is the loop's step now"
    ended(store, anew, "done")
    batch.pushed_at = LATER
    store.session.flush()
    assert halt(store) is None


def test_a_push_that_failed_stops_it_whichever_batch_it_was_for(store: Store) -> None:
    """Also one of records that a person chose, which is of no round."""
    with_policy(store)
    chosen = Batch(
        project_id=store.seeded.project_id,
        round=NO_ROUND,
        strategy=CHOSEN,
        sending="x",
        seed=0,
        created_at=LATER,
    )
    store.session.add(chosen)
    store.session.flush()
    push = ended(store, due(store), "failed")
    assert push.name == PUSH
    assert halt(store) == PUSH
    chosen.pushed_at = LATER
    store.session.flush()
    assert halt(store) is None


def test_a_retraining_that_failed_stops_it_and_a_later_step_does_not(store: Store) -> None:
    with_policy(store)
    answer(store, 1, TASKS)
    ended(store, due(store), "failed")
    assert halt(store) == RETRAIN
    queue.enqueue(
        store.session,
        NEXT_BATCH,
        project_id=store.seeded.project_id,
        args={"round": 2},
        now=LATER + timedelta(minutes=1),
    )
    assert halt(store) is None


@pytest.mark.parametrize(
    ("status", "minutes", "is_due"),
    [("failed", 0, False), ("failed", 6, True), ("cancelled", 6, False)],
)
def test_only_what_failed_some_time_ago_is_looked_at_by_itself(
    store: Store, status: str, minutes: int, is_due: bool
) -> None:
    with_policy(store)
    answer(store, 1, TASKS)
    ended(store, due(store), status)
    store.session.commit()
    services = Services(
        settings=Settings(),
        database=store.seeded.database,
        clock=lambda: LATER + timedelta(minutes=minutes),
    )
    assert is_retry_due(services, store.seeded.project_id) is is_due
