"""Real worker processes, killed with SIGKILL: every job is done, every effect is there once."""

import signal
import time

from backend.core.clock import utc_now
from backend.jobs import queue
from tests.backend.jobs.conftest import Store

KILL_POINTS = (
    "before-claim",
    "after-claim",
    "before-outcome-is-recorded",
    "after-outcome-is-recorded",
)


def test_kills_between_any_two_steps_lose_and_repeat_nothing(store: Store) -> None:
    jobs = []
    for number, kill_point in enumerate(KILL_POINTS):
        jobs.append(store.enqueue("test.quick", number=number))
        process = store.start_worker(kill_point=kill_point)
        assert process.wait(20) == -signal.SIGKILL, kill_point
    store.start_worker()
    for number, job_id in enumerate(jobs):
        assert store.wait_for_status(job_id, "done").result == {"echo": {"number": number}}
        assert store.effects(job_id) == [0]


def test_a_job_killed_midway_runs_again_from_its_start(store: Store) -> None:
    job_id = store.enqueue("test.slow", steps=20)
    process = store.start_worker()
    store.wait("five steps", lambda: len(store.effects(job_id)) >= 5)
    process.kill()
    assert store.job(job_id).status == "running"
    store.start_worker()
    job = store.wait_for_status(job_id, "done")
    assert store.effects(job_id) == list(range(20))
    assert (job.attempt, job.crashes, job.progress) == (2, 1, 1.0)


def test_waiting_survives_a_kill_and_does_not_block_other_jobs(store: Store) -> None:
    until = store.data_dir / "label-studio-is-up"
    waiting = [store.enqueue("test.flaky", until=str(until)) for _ in range(6)]
    process = store.start_worker()
    job = store.wait_for_status(waiting[-1], "waiting")
    assert job.error == "Unavailable: Label Studio does not answer. Start it."
    quick = store.enqueue("test.quick")
    store.wait_for_status(quick, "done", seconds=3)
    process.kill()
    until.write_text("")
    store.start_worker()
    for job_id in waiting:
        store.wait_for_status(job_id, "done")
        assert store.effects(job_id) == [0]


def test_sigterm_lets_a_job_reach_its_safe_point_and_resume_later(sqlite_store: Store) -> None:
    store = sqlite_store
    job_id = store.enqueue("test.slow", steps=30)
    process = store.start_worker()
    store.wait("three steps", lambda: len(store.effects(job_id)) >= 3)
    begin = time.monotonic()
    process.terminate()
    assert process.wait(10) == 0
    assert time.monotonic() - begin < 5
    job = store.job(job_id)
    assert (job.status, job.crashes) == ("queued", 0)
    store.start_worker()
    store.wait_for_status(job_id, "done")
    assert store.effects(job_id) == list(range(30))


def test_a_running_job_is_cancelled_at_its_safe_point(sqlite_store: Store) -> None:
    store = sqlite_store
    job_id = store.enqueue("test.slow", steps=400)
    store.start_worker()
    store.wait("progress", lambda: store.job(job_id).progress > 0)
    with store.database.transaction() as session:
        queue.request_cancel(session, job_id, now=utc_now())
    job = store.wait_for_status(job_id, "cancelled", seconds=5)
    assert 0 < len(store.effects(job_id)) < 400
    assert job.finished_at is not None


def test_sqlite_refuses_a_second_worker_and_names_the_first(sqlite_store: Store) -> None:
    store = sqlite_store
    first = store.start_worker("worker-1")
    job_id = store.enqueue("test.quick")
    store.wait_for_status(job_id, "done")
    second = store.start_worker("worker-2")
    assert second.wait(20) == 1
    log = (store.data_dir / "worker-2.log").read_text()
    assert f"A worker (process {first.pid}) already runs on this SQLite store" in log
    first.kill()
    other = store.enqueue("test.quick")
    store.start_worker("worker-3")
    store.wait_for_status(other, "done")
