"""Cron rows and periodic jobs: every tick once, whoever ticks; no pile-up, no backfill."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from backend.core.exceptions import InvalidInput
from backend.jobs.schedules import (
    PeriodicJob,
    Scheduler,
    next_time,
    of_no_project,
    set_schedule,
)
from backend.models import Dataset, Job, Lease, Project
from tests.backend.jobs.conftest import Store

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def project_id(store: Store) -> int:
    with store.database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=["title"], created_at=NOON)
        session.add(dataset)
        session.flush()
        project = Project(
            name="quality",
            dataset_id=dataset.id,
            label_schema={},
            policy={},
            label_studio_project_id=7,
            created_at=NOON,
        )
        session.add(project)
        session.flush()
        return project.id


def jobs_of(store: Store) -> list[Job]:
    with store.database.reading() as session:
        return list(session.exec(select(Job)))


def finish_all(store: Store) -> list[Job]:
    """The jobs that were open."""
    with store.database.transaction() as session:
        jobs = list(session.exec(select(Job).where(Job.status == "queued")))
        for job in jobs:
            job.status = "done"
        return jobs


class Time:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def tick_together(schedulers: list[Scheduler]) -> None:
    barrier = threading.Barrier(len(schedulers))
    errors: list[Exception] = []

    def tick(scheduler: Scheduler) -> None:
        barrier.wait()
        try:
            scheduler.tick()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=tick, args=(each,)) for each in schedulers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_each_cron_tick_makes_one_job_however_many_workers_tick(
    store: Store, project_id: int
) -> None:
    clock = Time(NOON)
    with store.database.transaction() as session:
        set_schedule(session, project_id, "training.retrain", "*/10 * * * *", now=NOON)
    schedulers = [Scheduler(store.database, clock) for _ in range(4)]
    for minute in range(61):
        clock.now = NOON + timedelta(minutes=minute)
        tick_together(schedulers)
        finish_all(store)
    assert len(jobs_of(store)) == 6
    assert {job.project_id for job in jobs_of(store)} == {project_id}


def test_missed_ticks_make_one_job(store: Store, project_id: int) -> None:
    clock = Time(NOON)
    with store.database.transaction() as session:
        set_schedule(session, project_id, "training.retrain", "* * * * *", now=NOON)
    scheduler = Scheduler(store.database, clock)
    clock.now = NOON + timedelta(hours=9)
    scheduler.tick()
    finish_all(store)
    scheduler.tick()
    assert len(jobs_of(store)) == 1


def test_a_tick_is_skipped_while_the_last_job_is_unfinished(store: Store, project_id: int) -> None:
    clock = Time(NOON)
    periodic = [PeriodicJob("labeling.sync", 60)]
    with store.database.transaction() as session:
        set_schedule(session, project_id, "training.retrain", "* * * * *", now=NOON)
    scheduler = Scheduler(store.database, clock, periodic)
    for minute in range(10):
        clock.now = NOON + timedelta(minutes=minute, seconds=1)
        scheduler.tick()
    assert sorted(job.name for job in jobs_of(store)) == ["labeling.sync", "training.retrain"]


def test_periodic_jobs_of_several_workers_run_once_a_period(store: Store, project_id: int) -> None:
    clock = Time(NOON)
    periodic = [PeriodicJob("labeling.sync", 60)]
    schedulers = [Scheduler(store.database, clock, periodic) for _ in range(3)]
    runs = 0
    for second in range(0, 300, 5):
        clock.now = NOON + timedelta(seconds=second)
        tick_together(schedulers)
        runs += len(finish_all(store))
    assert runs in (5, 6)
    assert len(jobs_of(store)) == 1, "one row a project, and no pile"


def test_a_period_in_which_there_is_nothing_to_do_writes_nothing(
    store: Store, project_id: int
) -> None:
    clock, asked, due = Time(NOON), [0], [False]

    def is_due(asked_for: int | None) -> bool:
        assert asked_for == project_id
        asked[0] += 1
        return due[0]

    scheduler = Scheduler(store.database, clock, [PeriodicJob("labeling.sync", 60, is_due=is_due)])
    for second in range(0, 600, 5):
        clock.now = NOON + timedelta(seconds=second)
        assert scheduler.tick() == []
    assert asked[0] in (10, 11), "once a period"
    with store.database.reading() as session:
        assert list(session.exec(select(Lease))) == []
    due[0] = True
    clock.now += timedelta(seconds=60)
    assert len(scheduler.tick()) == 1


def test_whether_it_is_due_is_not_asked_before_the_last_one_has_ended(
    store: Store, project_id: int
) -> None:
    """The answer may be given once only: a job that began before must not be taken for it."""
    clock, asked = Time(NOON), list[datetime]()

    def is_due(_project_id: int | None) -> bool:
        asked.append(clock.now)
        return True

    scheduler = Scheduler(store.database, clock, [PeriodicJob("labeling.sync", 60, is_due=is_due)])
    for minute in range(3):
        clock.now = NOON + timedelta(minutes=minute)
        scheduler.tick()
    assert asked == [NOON]
    finish_all(store)
    clock.now += timedelta(minutes=1)
    assert len(scheduler.tick()) == 1
    assert asked == [NOON, clock.now]


def test_a_clock_set_back_does_not_pause_periodic_jobs(store: Store, project_id: int) -> None:
    clock, periodic = Time(NOON), [PeriodicJob("labeling.sync", 60)]
    schedulers = [Scheduler(store.database, clock, periodic)]

    def syncs_from_noon(seconds: int) -> int:
        runs = 0
        for second in range(0, seconds, 20):
            clock.now = NOON + timedelta(seconds=second)
            tick_together(schedulers)
            runs += len(finish_all(store))
        return runs

    assert syncs_from_noon(3600) in (60, 61)
    schedulers.append(Scheduler(store.database, clock, periodic))  # of a worker started since
    assert syncs_from_noon(600) in (9, 10, 11)


def test_a_job_of_no_project_runs_once_a_period_also_without_projects(store: Store) -> None:
    clock = Time(NOON)
    daily = [PeriodicJob("training.purge_files", 24 * 3600, of_no_project)]
    schedulers = [Scheduler(store.database, clock, daily) for _ in range(2)]
    runs: list[Job] = []
    for hour in range(48):
        clock.now = NOON + timedelta(hours=hour)
        tick_together(schedulers)
        runs += finish_all(store)
    assert [job.project_id for job in runs] == [None] * 3, "48 hours touch three days"


def test_only_projects_in_label_studio_are_synced(store: Store, project_id: int) -> None:
    def leave(session: Session) -> None:
        project = session.get(Project, project_id)
        assert project is not None
        project.label_studio_project_id = None

    with store.database.transaction() as session:
        leave(session)
    Scheduler(store.database, Time(NOON), [PeriodicJob("labeling.sync", 60)]).tick()
    assert jobs_of(store) == []


def test_a_schedule_can_be_changed_and_switched_off(store: Store, project_id: int) -> None:
    clock = Time(NOON)
    with store.database.transaction() as session:
        set_schedule(session, project_id, "training.retrain", "0 3 * * *", now=NOON)
        changed = set_schedule(session, project_id, "training.retrain", "30 12 * * *", now=NOON)
        assert changed is not None
        assert changed.next_run_at == NOON + timedelta(minutes=30)
    clock.now = NOON + timedelta(hours=1)
    scheduler = Scheduler(store.database, clock)
    scheduler.tick()
    assert len(jobs_of(store)) == 1
    finish_all(store)
    with store.database.transaction() as session:
        set_schedule(session, project_id, "training.retrain", None, now=NOON)
    clock.now = NOON + timedelta(days=3)
    scheduler.tick()
    assert len(jobs_of(store)) == 1


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="never comes"):
        next_time("0 0 31 2 *", NOON)


@pytest.mark.parametrize("cron", ["", "every day", "61 * * * *", "* * * * * *", "@daily"])
def test_what_is_not_a_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(InvalidInput, match="not a cron expression"):
        next_time(cron, NOON)
