"""The durable engine: DBOS Transact. No other module imports ``dbos``.

A job row is handed to DBOS as the workflow ``<job id>:<generation>``, so a hand-over that is
repeated after a kill finds its workflow there already. The workflow has two steps: run the
handler, record the outcome; a kill between them repeats the second only. Being run again
(after waiting, an interruption, a dead worker) is a new generation with a new workflow;
what still runs an old one is refused by the row.

DBOS's traps and what guards against each:

1. Queue limits across processes don't hold on SQLite: one worker process there
   (``presence.WorkerLock``); limits are per worker, exclusion across workers is a lease.
2. A dead worker's workflows stay pending: ``take_over`` requeues their rows, then cancels
   the workflows (public calls; in this order, so that a kill in between loses nothing).
3. Cancelling frees the slot while the code still runs: live workflows are never cancelled
   in DBOS; people set a flag in the row that handlers read at safe points.
4. The default application version strands work after an upgrade: it is a constant.
5. The default executor id is shared: it is the worker's id, guarded by ``presence``.
6. DBOS's tables are a SQLite file, or the PostgreSQL schema ``dbos``, of their own.
7. Finished workflows stay for ever: ``purge`` deletes them.
8. A duplicate deduplication id raises: none is used, workflow ids are idempotent.
9. Cron ticks: DBOS's scheduler is not used, see ``schedules``.
"""

import logging
import sqlite3
import threading
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast

from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandle
from sqlalchemy.engine import make_url

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.settings import Settings
from backend.jobs.execution import LONGEST_WAIT, Outcome, claim, execute, record
from backend.jobs.registry import QueueClass, Registry
from backend.jobs.repository import JobRepository

APPLICATION = "assay"
APPLICATION_VERSION = "assay-jobs-1"
SCHEMA = "dbos"
CONCURRENCY: dict[QueueClass, int] = {"light": 8, "heavy": 2, "background": 1}
QUEUE_POLL_SECONDS: dict[QueueClass, float] = {"light": 0.15, "heavy": 0.25, "background": 1.0}
HAND_OVER_LIMIT = 100
STORE_RETRY_SECONDS = 1.0
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
WORKFLOW_RETENTION = timedelta(hours=1)
LOST_AFTER = timedelta(seconds=30)
ROUTINE_RETENTION = timedelta(days=1)
PURGE_LIMIT = 500

logger = logging.getLogger(__name__)


def queue_name(queue: QueueClass) -> str:
    """The DBOS queue of that class."""
    return f"{APPLICATION}-{queue}"


def workflow_id(job_id: str, generation: int) -> str:
    """The DBOS workflow that runs this generation of the job."""
    return f"{job_id}:{generation}"


class Engine:
    """Runs jobs in this process between ``start`` and ``stop``; one per process."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        registry: Registry,
        clock: Clock,
        *,
        worker_id: str = "worker",
    ) -> None:
        self.worker_id = worker_id
        self._database = database
        self._settings = settings
        self._registry = registry
        self._clock = clock
        self._stopping = threading.Event()
        self._active: set[str] = set()
        self._active_changed = threading.Condition()

    def start(self) -> None:
        """DBOS runs and resumes what this worker id left pending."""
        url = self._settings.job_store_url
        if make_url(url).get_backend_name() == "sqlite":
            _use_wal(url)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": url,
            "dbos_system_schema": SCHEMA,
            "application_version": APPLICATION_VERSION,
            "executor_id": self.worker_id,
            "log_level": "WARNING",
            "sys_db_pool_size": 10,
        }
        DBOS(config=config)
        _log_through_root()

        @DBOS.workflow(name="run_job", max_recovery_attempts=None)
        def run_job(job_id: str, generation: int) -> str | None:
            return self._run_job(job_id, generation)

        self._workflow = run_job
        DBOS.listen_queues([queue_name(queue) for queue in CONCURRENCY])
        DBOS.launch()
        for queue, concurrency in CONCURRENCY.items():
            DBOS.register_queue(
                queue_name(queue),
                worker_concurrency=concurrency,
                polling_interval_sec=QUEUE_POLL_SECONDS[queue],
                on_conflict="always_update",
            )

    def stop(self, timeout: float = 30.0) -> bool:
        """No job starts any more; running ones get ``timeout`` seconds to reach a safe point.

        False if some did not: the process must exit then, they are run again elsewhere or
        at the next start.
        """
        self._stopping.set()
        with self._active_changed:
            finished = self._active_changed.wait_for(lambda: not self._active, timeout)
            if not finished:
                logger.warning("jobs still running at exit: %s", ", ".join(sorted(self._active)))
        DBOS.destroy(destroy_registry=True)
        return finished

    def hand_over(self) -> int:
        """Give DBOS the job rows that are due; how many. Safe to repeat and to race."""
        with self._database.reading() as session:
            due = JobRepository(session).to_hand_over(
                self._clock(), HAND_OVER_LIMIT, longest_wait=LONGEST_WAIT
            )
        for job_id, name, generation in due:
            self._start_workflow(job_id, name, generation)
        if due:
            self._mark_handed_over(due)
        return len(due)

    def take_over(self, dead_worker_id: str) -> list[str]:
        """Requeue everything a dead worker had; the ids of the jobs.

        The rows are requeued first: a kill before the workflows are cancelled makes the next
        call do it all again, and the rows refuse a second requeue of the old generation.
        """
        pending = DBOS.list_workflows(
            status="PENDING", executor_id=dead_worker_id, load_input=False, load_output=False
        )
        with self._database.transaction() as session:
            repository = JobRepository(session)
            lost = {*(_parse(flow.workflow_id) for flow in pending)}
            lost |= {*repository.running_on(dead_worker_id)}
            requeued = [
                job_id
                for job_id, generation in sorted(lost)
                if repository.requeue(job_id, generation, crashed=True)
            ]
        if pending:
            DBOS.cancel_workflows([flow.workflow_id for flow in pending])
        if requeued:
            logger.warning("took over from worker %s: %s", dead_worker_id, ", ".join(requeued))
        return requeued

    def requeue_lost(self) -> list[str]:
        """Requeue jobs that DBOS no longer knows or has given up; the ids of the jobs.

        It happens when DBOS's database was lost or restored, or a workflow failed outside
        its handler.
        """
        with self._database.reading() as session:
            rows = JobRepository(session).handed_over(self._clock() - LOST_AFTER, PURGE_LIMIT)
        if not rows:
            return []
        flows = DBOS.list_workflows(
            workflow_ids=[workflow_id(*row) for row in rows], load_input=False, load_output=False
        )
        alive = {flow.workflow_id for flow in flows if flow.status not in ENDED}
        lost = [row for row in rows if workflow_id(*row) not in alive]
        if not lost:
            return []
        with self._database.transaction() as session:
            repository = JobRepository(session)
            requeued = [
                job_id
                for job_id, generation in lost
                if repository.requeue(job_id, generation, crashed=True)
            ]
        if requeued:
            logger.warning("requeued jobs that the engine had lost: %s", ", ".join(requeued))
        return requeued

    def purge(self) -> None:
        """Drop finished workflows after an hour and finished job rows after their retention."""
        now = self._clock()
        before = datetime.now(now.tzinfo) - WORKFLOW_RETENTION
        flows = DBOS.list_workflows(
            status=list(ENDED),
            completed_before=before.isoformat(),
            limit=PURGE_LIMIT,
            load_input=False,
            load_output=False,
        )
        if flows:
            DBOS.delete_workflows([flow.workflow_id for flow in flows])
        with self._database.transaction() as session:
            JobRepository(session).purge(
                before=now - timedelta(days=self._settings.jobs_retention_days),
                routine_before=now - ROUTINE_RETENTION,
                routine_names=self._registry.routine_names,
            )

    def _start_workflow(self, job_id: str, name: str, generation: int) -> None:
        queue = queue_name(self._registry.queue_of(name))
        with SetWorkflowID(workflow_id(job_id, generation)):
            handle: WorkflowHandle[str | None] = DBOS.enqueue_workflow(
                queue, self._workflow, job_id, generation
            )
        logger.debug("handed over %s", handle.workflow_id)

    def _mark_handed_over(self, jobs: list[tuple[str, str, int]]) -> None:
        now = self._clock()
        with self._database.transaction() as session:
            repository = JobRepository(session)
            for job_id, _name, generation in jobs:
                repository.mark_handed_over(job_id, generation, now)

    def _run_job(self, job_id: str, generation: int) -> str | None:
        """The workflow; returns the outcome's status, None if there was nothing to run."""
        with self._active_changed:
            self._active.add(job_id)
        try:
            outcome = DBOS.run_step({"name": "execute"}, self._attempt, job_id, generation)
            if outcome is None:
                return None
            DBOS.run_step({"name": "record"}, self._record, job_id, generation, outcome)
            return cast(str, outcome["status"])
        finally:
            with self._active_changed:
                self._active.discard(job_id)
                self._active_changed.notify_all()

    def _attempt(self, job_id: str, generation: int) -> dict[str, Any] | None:
        while True:
            try:
                if self._stopping.is_set():
                    self._give_back(job_id, generation)
                    return None
                job = claim(self._database, self._clock, job_id, generation, self.worker_id)
                break
            except Exception:
                self._wait_for_store(job_id)
        if job is None:
            return None
        outcome = execute(
            self._database, self._clock, self._registry, job, stopping=self._stopping.is_set
        )
        return asdict(outcome)

    def _record(self, job_id: str, generation: int, outcome: dict[str, Any]) -> bool:
        while True:
            try:
                return record(self._database, self._clock, job_id, generation, Outcome(**outcome))
            except Exception:
                self._wait_for_store(job_id)

    def _give_back(self, job_id: str, generation: int) -> None:
        with self._database.transaction() as session:
            JobRepository(session).requeue(job_id, generation, crashed=False)

    def _wait_for_store(self, job_id: str) -> None:
        logger.warning("job %s: the store is not reachable; trying again", job_id, exc_info=True)
        threading.Event().wait(STORE_RETRY_SECONDS)


def _parse(flow_id: str) -> tuple[str, int]:
    job_id, _, generation = flow_id.rpartition(":")
    return job_id, int(generation)


def _use_wal(url: str) -> None:
    """Let DBOS's readers not wait for its writers; the mode is kept in the file."""
    path = make_url(url).database
    if path:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()


def _log_through_root() -> None:
    """DBOS's log lines go where ours go."""
    dbos_logger = logging.getLogger("dbos")
    dbos_logger.handlers.clear()
    dbos_logger.propagate = True
