"""One attempt of one job: claim the row, run the handler, record the outcome.

The engine and the inline runner share this; neither decides what an error means.
"""

import errno
import logging
import sqlite3
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy.exc import InterfaceError, OperationalError

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.exceptions import AppError, JobCancelled, Unavailable
from backend.core.logging import log_context
from backend.jobs.context import JobContext
from backend.jobs.exceptions import JobInterrupted, LeaseHeld
from backend.jobs.registry import OnFailure, Registry, tell_nobody
from backend.jobs.repository import FINISHED, JobRepository, Names
from backend.jobs.storable import storable_message, storable_result, storable_text
from backend.models import Job
from backend.words import Message

MAX_CRASHES = 20
"""More than anyone restarts a machine during one job, and few enough to see the end of it."""
MAX_RETRY_SECONDS = 60.0
"""Waits double from a second to this: a service that is back is used within a minute."""
MAX_LEASE_WAIT_SECONDS = 5.0
"""A lease is free the moment its holder ends, so asking more often than that pays."""
STORE_RETRY_SECONDS = 1.0
"""As long as the first wait for anything else that is away."""
LONGEST_WAIT = timedelta(seconds=2 * MAX_RETRY_SECONDS)
"""A job that would wait for longer got its time from a clock that was set back since."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What an attempt came to; ``queued`` and ``waiting`` mean that it is run again."""

    attempt: int
    status: Literal["done", "failed", "cancelled", "waiting", "queued"]
    result: dict[str, Any] | None = None
    error: str | None = None
    retry_seconds: float | None = None


def due_names(database: Database, clock: Clock) -> set[str]:
    """Names of the jobs that a worker may claim now; nothing is locked."""
    with database.reading() as session:
        return JobRepository(session).due_names(clock(), longest_wait=LONGEST_WAIT)


def claim(
    database: Database,
    clock: Clock,
    names: Names,
    worker: str,
    limit: int,
    *,
    apart_from: Collection[str] = (),
    ahead: timedelta = timedelta(),
    on_failure: OnFailure = tell_nobody,
) -> list[Job]:
    """At most ``limit`` jobs, oldest first, now running on ``worker``; nobody else has them.

    They are due, or will be within ``ahead``. One whose worker died under it more than
    ``MAX_CRASHES`` times fails instead of taking down one worker after the other.
    """
    now = clock()
    with database.transaction() as session:
        repository, claimed = JobRepository(session), list[Job]()
        while not claimed:
            due = repository.lock_due(
                names, now + ahead, limit, longest_wait=LONGEST_WAIT, apart_from=apart_from
            )
            if not due:
                break
            _start(due, worker, now)
            session.flush()
            for job in due:
                if job.status == "failed":
                    on_failure(session, job)
            claimed = [job for job in due if job.status == "running"]
    return claimed


def _start(jobs: list[Job], worker: str, now: datetime) -> None:
    for job in jobs:
        if job.crashes > MAX_CRASHES:
            job.status, job.finished_at = "failed", now
            job.error = Message(
                "The worker died {count} times while it ran this job. Look for 'out of memory' in "
                "the system's log, then try the job again.",
                count=job.crashes,
            )
        else:
            job.status, job.worker_id = "running", worker
            job.attempt += 1
            job.started_at = job.started_at or now
            job.progress, job.message, job.error = 0.0, "", None


def execute(
    database: Database,
    clock: Clock,
    registry: Registry,
    job: Job,
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run the claimed job's handler; every error becomes an outcome.

    Whatever transaction the handler makes in its thread commits only while the attempt and the
    leases that it holds are valid (``JobContext.confirm``).
    """
    kind = registry.get(job.name)
    if kind is None:
        return Outcome(
            job.attempt,
            "failed",
            error=Message(
                "No handler is registered for {job!r}. This worker runs: {registry}.",
                job=job.name,
                registry=", ".join(sorted(registry.names)) or "nothing",
            ),
        )
    with log_context(job_id=job.id, job=job.name):
        context = JobContext(database, clock, job, stopping=stopping)
        try:
            with context, database.commit_guard(context.confirm):
                result = kind.handler(context, arguments_of(job))
            return Outcome(job.attempt, "done", result=storable_result(result))
        except (Exception, SystemExit) as error:
            outcome = outcome_of(context.cause_of(error), job)
            if outcome.status == "failed":
                logger.exception("job failed")
            else:
                logger.info("job %s: %s", outcome.status, error)
            return outcome


def arguments_of(job: Job) -> dict[str, Any]:
    """What the handler gets: the row's args, and its project as ``project_id``."""
    project = {} if job.project_id is None else {"project_id": job.project_id}
    return project | job.args


def outcome_of(error: BaseException, job: Job) -> Outcome:
    """What an error means for the job."""
    if isinstance(error, JobCancelled):
        return Outcome(job.attempt, "cancelled", error=storable_message(error.message))
    if isinstance(error, JobInterrupted):
        return Outcome(job.attempt, "queued")
    if isinstance(error, LeaseHeld):
        seconds = min(2.0**job.retries, MAX_LEASE_WAIT_SECONDS)
        return Outcome(
            job.attempt, "waiting", error=storable_message(error.text), retry_seconds=seconds
        )
    if isinstance(error, Unavailable) or is_transient(error):
        seconds = min(2.0 ** min(job.retries, 10), MAX_RETRY_SECONDS)
        return Outcome(job.attempt, "waiting", error=describe(error), retry_seconds=seconds)
    return Outcome(job.attempt, "failed", error=describe(error))


def is_transient(error: BaseException) -> bool:
    """True for a store that is away or busy and for a full disk: neither is the job's fault."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, InterfaceError):
        return True
    if isinstance(error, OperationalError):
        if isinstance(error.orig, sqlite3.OperationalError):
            return any(word in str(error.orig) for word in ("locked", "full", "busy"))
        return True
    return False


def describe(error: BaseException) -> str:
    """Type, message and remedy; for an unexpected error also where it was raised.

    It is a text that the store keeps.
    """
    said = Message.of_error(error)
    if isinstance(said, Message) or isinstance(error, AppError):
        return storable_message(Message("{kind}: {text}", kind=type(error).__name__, text=said))
    frames = traceback.extract_tb(error.__traceback__)
    place = f" (at {frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return storable_text(f"{type(error).__name__}: {error}{place}")


def record(
    database: Database,
    clock: Clock,
    job_id: str,
    outcome: Outcome,
    on_failure: OnFailure = tell_nobody,
) -> bool:
    """The row says what came of the attempt; False if it was overtaken and stays as it is."""
    now = clock()
    with database.transaction() as session:
        job = JobRepository(session).lock_if_current(job_id, outcome.attempt)
        if job is None:
            return False
        job.status, job.error = outcome.status, outcome.error
        if outcome.status in FINISHED:
            job.finished_at, job.result = now, outcome.result
            job.progress = 1.0 if outcome.status == "done" else job.progress
        else:
            job.not_before = None
            if outcome.retry_seconds is not None:
                job.retries += 1
                job.not_before = now + timedelta(seconds=outcome.retry_seconds)
        session.add(job)
        if outcome.status == "failed":
            session.flush()
            on_failure(session, job)
        return True


def record_in_the_end(
    database: Database,
    clock: Clock,
    job_id: str,
    outcome: Outcome,
    pause: Callable[[float], object],
    on_failure: OnFailure = tell_nobody,
) -> bool:
    """``record``, again and again while the store is away; False if the attempt was overtaken.

    An outcome that the store refuses for what it is becomes a failure that says so.
    """
    while True:
        try:
            return record(database, clock, job_id, outcome, on_failure)
        except Exception as error:
            if is_transient(error):
                logger.warning("job %s: the store is away; trying again", job_id, exc_info=True)
                pause(STORE_RETRY_SECONDS)
                continue
            logger.exception("job %s: the store refuses its outcome", job_id)
            refused = Message(
                "The store refused what the job came to: {kind}.", kind=type(error).__name__
            )
            if outcome.error == refused:
                pause(MAX_RETRY_SECONDS)
            outcome = Outcome(outcome.attempt, "failed", error=refused)
