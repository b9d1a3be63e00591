"""Background work as people see it: jobs, workers, and what may be done with a job."""

from collections.abc import Sequence

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import NotFound
from backend.jobs import queue
from backend.jobs.presence import living_workers
from backend.models import Job
from backend.overview import job_repository as repository
from backend.overview.schemas import JobCounts, JobFilter, JobPublic, WorkerStatus
from backend.words import Message

SHOWN_JOBS = 20
"""Chosen: what fits on a screen."""
ANY_JOB = JobFilter()


class JobOverview:
    """All jobs and workers, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._audit = AuditTrail(session, clock)

    def workers(self) -> list[WorkerStatus]:
        """Every worker; alive means that it holds its lock."""
        found = repository.workers(self._session)
        alive = living_workers(self._session, found)
        return [
            WorkerStatus(
                id=worker.id,
                host=worker.host,
                pid=worker.pid,
                is_alive=worker.id in alive,
                up_seconds=max(0.0, (self._clock() - worker.started_at).total_seconds()),
            )
            for worker in found
        ]

    def counts(self) -> JobCounts:
        """Jobs by status."""
        return JobCounts(**repository.job_counts(self._session))

    def jobs(self, wanted: JobFilter = ANY_JOB, *, limit: int = SHOWN_JOBS) -> list[JobPublic]:
        """Jobs that fit, open ones first, then the newest."""
        return self._public(repository.jobs(self._session, wanted, limit))

    def job(self, job_id: str) -> JobPublic:
        """One job.

        Raises:
            NotFound: there is no such job.
        """
        row = repository.job(self._session, job_id)
        if row is None:
            raise NotFound(
                Message("There is no job {job_id}.", job_id=job_id),
                field="job",
                value=job_id,
                remedy=Message(
                    "Finished jobs are purged after a while; the list of jobs has the others."
                ),
            )
        return self._public([row])[0]

    def project_names(self) -> Sequence[tuple[int, str]]:
        """(id, name) of every project, by name."""
        return repository.project_names(self._session)

    def cancel(self, job_id: str, *, actor: str) -> JobPublic:
        """The job stops at its next safe point, or never starts; one that has ended stays so.

        Raises:
            NotFound: there is no such job.
        """
        self.job(job_id)
        queue.request_cancel(self._session, job_id, now=self._clock())
        self._audit.append(actor, "job.cancel_requested", f"job:{job_id}")
        return self.job(job_id)

    def retry(self, job_id: str, *, actor: str) -> JobPublic:
        """The failed or cancelled job is queued anew; the new job. Asking again changes nothing.

        Raises:
            NotFound: there is no such job.
            Conflict: it has succeeded, is unfinished, or another one is about to do the same.
        """
        self.job(job_id)
        before = queue.newest_attempt(self._session, queue.get(self._session, job_id)).id
        anew = queue.retry(self._session, job_id, now=self._clock())
        if anew.id != before:
            self._audit.append(
                actor, "job.retried", f"job:{job_id}", {"job": anew.id, "name": anew.name}
            )
        return self.job(anew.id)

    def _public(self, rows: Sequence[Job]) -> list[JobPublic]:
        anew = {row.id: queue.retry_id(row) for row in rows if row.status in queue.UNSUCCESSFUL}
        made = queue.which_exist(self._session, anew.values())
        return [
            JobPublic(
                **row.model_dump(include=set(JobPublic.model_fields)),
                retried_as=anew[row.id] if anew.get(row.id) in made else None,
            )
            for row in rows
        ]
