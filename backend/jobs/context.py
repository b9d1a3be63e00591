"""What a handler sees of the job it runs: progress, requests to stop, leases."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Self

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.exceptions import JobCancelled
from backend.jobs.exceptions import JobInterrupted
from backend.jobs.leases import HeldLeases
from backend.jobs.repository import JobRepository
from backend.jobs.storable import storable_message
from backend.models import Job
from backend.words import Message, Worded

PULSE_SECONDS = 0.5
"""Progress and requests to stop are seen within about a second, half of it the page's own."""
LEASE_TTL = timedelta(seconds=15)
"""Renewed from a third of it on (``renew_when_due``), it outlives ten seconds without the store."""

logger = logging.getLogger(__name__)


class JobContext:
    """One attempt of one job.

    A thread of its own ("pulse") writes progress, renews leases and reads requests to
    stop, so that none of the methods here waits for the store while the handler holds a
    transaction open; only ``lease`` does: take leases outside transactions.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        job: Job,
        *,
        stopping: Callable[[], bool] = lambda: False,
        lease_ttl: timedelta = LEASE_TTL,
    ) -> None:
        self.job_id = job.id
        self.project_id = job.project_id
        self.attempt = job.attempt
        self._database = database
        self._stopping = stopping
        self._leases = HeldLeases(
            database, clock, job_id=job.id, attempt=job.attempt, ttl=lease_ttl
        )
        self._cancel_requested = job.cancel_requested
        self._is_current = True
        self._progress: tuple[float, str | Worded] | None = None
        self._ended = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name=f"pulse-{job.id}", daemon=True)

    def progress(self, fraction: float, message: str | Worded = "") -> None:
        """People see this soon; ``fraction`` is clipped to [0, 1]. Cheap: call it freely."""
        self._progress = (min(1.0, max(0.0, fraction)), message)

    def should_stop(self) -> bool:
        """True once the job should end at its next safe point; then ``check_cancelled()``."""
        return (
            self._cancel_requested
            or self._stopping()
            or not self._is_current
            or not self._leases.all_ours
        )

    def check_cancelled(self) -> None:
        """A safe point: nothing half-done here, so the job may end.

        Raises:
            JobCancelled: somebody asked for it.
            JobInterrupted: the worker stops, or another one has taken the job or its lease
                over; the job is run again from its start.
        """
        if self._cancel_requested:
            raise JobCancelled(
                Message("Job {job_id} was cancelled on request.", job_id=self.job_id)
            )
        if self._stopping():
            raise JobInterrupted(
                Message("Job {job_id} was interrupted: its worker is stopping.", job_id=self.job_id)
            )
        if not self._is_current or not self._leases.all_ours:
            raise JobInterrupted(
                Message("Job {job_id} was taken over by another worker.", job_id=self.job_id)
            )

    def cause_of(self, error: BaseException) -> BaseException:
        """What ended the attempt: a stop that nobody asked for is an interruption.

        Whoever is told by ``should_stop`` to end cannot know why, and calls it cancelled.
        """
        if isinstance(error, JobCancelled) and not self._cancel_requested:
            return JobInterrupted(
                Message(
                    "Job {job_id} was interrupted: {message}",
                    job_id=self.job_id,
                    message=error.message,
                )
            )
        return error

    def confirm(self, session: Session) -> None:
        """The caller's transaction commits only while this attempt and its leases are valid.

        ``execute`` makes it the guard of every transaction of the handler's thread; call it
        yourself only to find out before work that would be for nothing.

        Raises:
            JobInterrupted: another worker runs the job now, or another job has a lease of it.
        """
        is_current = JobRepository(session).lock_if_current(self.job_id, self.attempt) is not None
        if not is_current or not self._leases.lock_if_ours(session):
            raise JobInterrupted(
                Message("Job {job_id} was taken over by another worker.", job_id=self.job_id)
            )

    @contextmanager
    def lease(self, name: str) -> Iterator[None]:
        """While inside, no other job holds the lease ``name``; renewed by the pulse.

        Raises:
            LeaseHeld: another job holds it; the job waits and is tried again soon.
        """
        self._leases.acquire(name)
        try:
            yield
        finally:
            self._leases.release(name)

    def __enter__(self) -> Self:
        self._pulse.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._pulse.join()
        try:
            self._write_progress()
        except Exception:
            logger.warning("last progress of job %s is lost", self.job_id, exc_info=True)

    def _beat(self) -> None:
        while not self._ended.wait(PULSE_SECONDS):
            try:
                self._leases.renew_when_due()
                self._read_requests()
                self._write_progress()
            except Exception:
                logger.warning("pulse of job %s failed; trying again", self.job_id, exc_info=True)

    def _read_requests(self) -> None:
        with self._database.reading() as session:
            job = JobRepository(session).get(self.job_id)
        self._is_current = (
            job is not None and job.attempt == self.attempt and job.status == "running"
        )
        self._cancel_requested = job is not None and job.cancel_requested

    def _write_progress(self) -> None:
        progress, self._progress = self._progress, None
        if progress is None or not self._is_current:
            return
        with self._database.unguarded_transaction() as session:
            JobRepository(session).save_progress(
                self.job_id, self.attempt, progress[0], storable_message(progress[1])
            )
