"""The engine of a worker: claims due job rows and runs each in a thread of its own.

The row is everything there is to know of a job. Claiming it (``queued`` or ``waiting`` becomes
``running``, ``attempt`` grows by one) and recording its outcome are one transaction each; a kill
between the two leaves a row that says ``running`` on a worker that is dead, and whoever notices
requeues it. ``attempt`` fences: what an overtaken attempt still does commits nothing.

A job starts when the doorbell rings, a thread gets free, or a waiting job's time has come.
"""

import logging
import threading
from datetime import timedelta

from backend.core.clock import Clock
from backend.core.database import Database
from backend.jobs.doorbell import Doorbell, doorbell_of
from backend.jobs.execution import Outcome, claim, due_names, execute, record_in_the_end
from backend.jobs.registry import QueueClass, Registry
from backend.jobs.repository import JobRepository
from backend.models import Job

CONCURRENCY: dict[QueueClass, int] = {"light": 8, "heavy": 2, "background": 1}
"""Light jobs wait for Label Studio or the store; two heavy ones fill the smallest machine."""
LOOK_SECONDS = 5.0
"""How late a job starts at worst when the bell did not ring: half a page's patience."""
PASSED_BY_SECONDS = 0.1
"""A due row that somebody holds is free when that transaction ends, as a rule in milliseconds."""
STORE_AWAY_SECONDS = 1.0
"""As long as a job's own first wait for something that is away."""
ROUTINE_RETENTION = timedelta(days=1)
"""Done routine jobs are of interest while one looks for the cause of today's trouble."""

logger = logging.getLogger(__name__)


class Engine:
    """Runs jobs in this process between ``start`` and ``stop``."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        clock: Clock,
        *,
        worker_id: str = "worker",
        retention: timedelta = timedelta(days=14),
    ) -> None:
        self.worker_id = worker_id
        self._database = database
        self._registry = registry
        self._clock = clock
        self._retention = retention
        self._stopping = threading.Event()
        self._running: dict[tuple[str, int], QueueClass] = {}
        self._changed = threading.Condition()
        self._bell: Doorbell | None = None
        self._dispatcher = threading.Thread(target=self._dispatch, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Due jobs start, first those that an earlier process of this worker id left behind."""
        self.take_over(self.worker_id)
        self._bell = doorbell_of(self._database)
        self._dispatcher.start()

    def stop(self, timeout: float = 30.0) -> bool:
        """No job starts any more; running ones get ``timeout`` seconds to reach a safe point.

        False if some did not: the process must exit then, they are run again elsewhere or
        at the next start.
        """
        self._stopping.set()
        if self._bell:
            self._bell.ring()
            self._dispatcher.join(timeout)
            self._bell.close()
        with self._changed:
            finished = self._changed.wait_for(lambda: not self._running, timeout)
            if not finished:
                names = ", ".join(sorted(job_id for job_id, _ in self._running))
                logger.warning("jobs still running at exit: %s", names)
        return finished

    def start_due(self) -> bool:
        """Every due job that there is room for has a thread; True if one may have been passed by.

        Such a one was due, and somebody else held its row.
        """
        is_passed_by = False
        due = due_names(self._database, self._clock)
        for queue in sorted({self._registry.queue_of(name) for name in due}):
            with self._changed:
                room = CONCURRENCY[queue] - list(self._running.values()).count(queue)
            if room < 1:
                continue
            jobs = self._claim(queue, room)
            is_passed_by = is_passed_by or len(jobs) < room
            for job in jobs:
                with self._changed:
                    self._running[job.id, job.attempt] = queue
                threading.Thread(target=self._run, args=(job,), name=job.id, daemon=True).start()
        return is_passed_by

    def take_over(self, dead_worker_id: str) -> list[str]:
        """Requeue everything that a dead worker was running; the ids of the jobs."""
        with self._database.transaction() as session:
            repository = JobRepository(session)
            lost = repository.jobs_running_on(dead_worker_id)
            return self._requeue(repository, lost, f"worker {dead_worker_id} is dead")

    def take_over_from_unknown(self) -> list[str]:
        """Requeue what runs on a worker that nobody knows: one that slept and was forgotten."""
        with self._database.reading() as session:
            if not JobRepository(session).jobs_running_nowhere():
                return []
        with self._database.transaction() as session:
            repository = JobRepository(session)
            lost = repository.jobs_running_nowhere()
            return self._requeue(repository, lost, "their worker is not known")

    def purge(self) -> None:
        """Finished job rows older than their retention are gone."""
        now = self._clock()
        with self._database.transaction() as session:
            JobRepository(session).purge(
                before=now - self._retention,
                routine_before=now - ROUTINE_RETENTION,
                routine_names=self._registry.routine_names,
            )

    def _dispatch(self) -> None:
        assert self._bell is not None
        while not self._stopping.is_set():
            try:
                pause = PASSED_BY_SECONDS if self.start_due() else self._seconds_to_next()
                self._bell.wait(pause)
            except Exception:
                logger.warning("looking for jobs failed; trying again", exc_info=True)
                self._stopping.wait(STORE_AWAY_SECONDS)

    def _seconds_to_next(self) -> float:
        now = self._clock()
        with self._database.reading() as session:
            then = JobRepository(session).next_time(now)
        return LOOK_SECONDS if then is None else min((then - now).total_seconds(), LOOK_SECONDS)

    def _run(self, job: Job) -> None:
        try:
            outcome = self._execute(job)
            self._record(job, outcome)
        finally:
            with self._changed:
                del self._running[job.id, job.attempt]
                self._changed.notify_all()
            if self._bell:
                self._bell.ring()

    def _claim(self, queue: QueueClass, limit: int) -> list[Job]:
        names = self._registry.names_in(queue)
        return claim(
            self._database,
            self._clock,
            names,
            self.worker_id,
            limit,
            on_failure=self._registry.on_failure,
        )

    def _execute(self, job: Job) -> Outcome:
        if self._stopping.is_set():
            return Outcome(job.attempt, "queued")
        return execute(
            self._database, self._clock, self._registry, job, stopping=self._stopping.is_set
        )

    def _record(self, job: Job, outcome: Outcome) -> bool:
        return record_in_the_end(
            self._database,
            self._clock,
            job.id,
            outcome,
            threading.Event().wait,
            self._registry.on_failure,
        )

    def _requeue(
        self, repository: JobRepository, lost: list[tuple[str, int]], reason: str
    ) -> list[str]:
        requeued = [
            job_id
            for job_id, attempt in sorted(lost)
            if repository.requeue(job_id, attempt, crashed=True)
        ]
        if requeued:
            logger.warning("jobs are run again, %s: %s", reason, ", ".join(requeued))
            if self._bell:
                self._bell.ring()
        return requeued
