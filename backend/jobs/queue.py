"""Putting jobs into the outbox, and what people may do with them there."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlmodel import Session

from backend.core.exceptions import Conflict, NotFound
from backend.jobs.repository import UNFINISHED, JobRepository
from backend.models import Job
from backend.words import Message

UNSUCCESSFUL = ("failed", "cancelled")
COMPARED = 20
"""Unclaimed jobs of one name and project differ by few args (a sync is full or not)."""


def job_id_of(name: str, project_id: int | None, key: str) -> str:
    """The id that ``enqueue`` gives a job with this ``key``."""
    digest = hashlib.sha256(f"{name}\x00{project_id}\x00{key}".encode()).hexdigest()
    return f"{name}-{digest[:24]}"


def enqueue(
    session: Session,
    name: str,
    *,
    project_id: int | None = None,
    args: dict[str, Any] | None = None,
    key: str | None = None,
    now: datetime,
) -> str:
    """A job row that exists if and only if the caller's transaction commits; its id.

    With a ``key`` the id follows from (name, project, key): a repeat, also one that races
    this call, changes nothing and gets the same id, whatever became of the first. The key
    is free again when the finished job has been purged (``jobs_retention_days``).
    """
    job_id = f"{name}-{uuid4().hex[:24]}" if key is None else job_id_of(name, project_id, key)
    JobRepository(session).add_if_absent(
        Job(id=job_id, name=name, project_id=project_id, args=args or {}, enqueued_at=now)
    )
    return job_id


def enqueue_if_none_waiting(
    session: Session,
    name: str,
    *,
    project_id: int | None = None,
    args: dict[str, Any] | None = None,
    now: datetime,
) -> str:
    """A job with these args starts after the caller's transaction has committed; its id.

    So it sees what the caller wrote. One that no worker has claimed will do: its row is locked,
    and a worker that was about to claim it has to wait until the commit. One that is being
    claimed meanwhile, or that another caller holds, does not count: a new one is made, so that
    no caller waits for another. On SQLite writers wait for each other anyhow.
    """
    for job in JobRepository(session).lock_unclaimed(name, project_id, COMPARED):
        if job.args == (args or {}):
            return job.id
    return enqueue(session, name, project_id=project_id, args=args, now=now)


def renew(
    session: Session,
    name: str,
    *,
    project_id: int | None = None,
    args: dict[str, Any] | None = None,
    key: str,
    now: datetime,
) -> str:
    """Like ``enqueue``, but a job of that key that has ended begins anew, in its own row.

    So what comes again and again, as a sync does, leaves one row a key and no pile.
    """
    job_id = job_id_of(name, project_id, key)
    JobRepository(session).renew(
        Job(id=job_id, name=name, project_id=project_id, args=args or {}, enqueued_at=now)
    )
    return job_id


def request_cancel(session: Session, job_id: str, *, now: datetime) -> Job:
    """A job that has not started is cancelled; a running one stops at its next safe point.

    A finished job stays as it is.

    Raises:
        NotFound: there is no such job.
    """
    get(session, job_id)
    repository = JobRepository(session)
    repository.request_cancel(job_id, now=now)
    return get(session, job_id)


def retry(session: Session, job_id: str, *, now: datetime) -> Job:
    """The failed or cancelled job is queued anew, in a row of its own; that row.

    Asking again while it is unfinished changes nothing; one that ended without success, too, is
    queued anew in its turn.

    Raises:
        NotFound: there is no such job.
        Conflict: it has succeeded, is unfinished, or another one is about to do the same.
    """
    job = newest_attempt(session, get(session, job_id))
    is_asked_again = job.id != job_id and job.status in UNFINISHED
    if is_asked_again:
        return job
    if job.status not in (*UNSUCCESSFUL, *UNFINISHED):
        raise Conflict(
            Message("Job {job} has succeeded.", job=job.id),
            field="job_id",
            value=job_id,
            remedy=Message("There is nothing to try again."),
        )
    twins = JobRepository(session).list_unfinished(job.name, job.project_id, COMPARED)
    twin = next((each for each in twins if each.args == job.args), None)
    if twin is not None:
        raise Conflict(
            Message("Job {job} does the same and has not ended.", job=twin.id),
            field="job_id",
            value=job_id,
            remedy=Message("Wait for its end."),
        )
    anew = enqueue(
        session, job.name, project_id=job.project_id, args=job.args, key=_retry_key(job), now=now
    )
    return get(session, anew)


def newest_attempt(session: Session, job: Job) -> Job:
    """The job, or the last one that was made of it by ``retry``."""
    repository = JobRepository(session)
    while (anew := repository.get(retry_id(job))) is not None:
        job = anew
    return job


def retry_id(job: Job) -> str:
    """The id of the job that ``retry`` makes of this one, whether it was made or not."""
    return job_id_of(job.name, job.project_id, _retry_key(job))


def _retry_key(job: Job) -> str:
    # When it ended belongs to it: the row of a periodic job ends again and again.
    return f"retry:{job.id}:{job.finished_at.isoformat() if job.finished_at else ''}"


def get(session: Session, job_id: str) -> Job:
    """The job.

    Raises:
        NotFound: there is no such job.
    """
    job = JobRepository(session).get(job_id)
    if job is None:
        raise NotFound(
            Message("There is no job {job_id!r}.", job_id=job_id),
            field="job_id",
            value=job_id,
            remedy=Message(
                "Finished jobs are purged after a while; the list of jobs has the others."
            ),
        )
    return job


def list_recent(
    session: Session,
    *,
    project_id: int | None = None,
    name: str | None = None,
    statuses: Sequence[str] | None = None,
    limit: int = 50,
) -> list[Job]:
    """The jobs enqueued last, newest first."""
    return JobRepository(session).recent(
        project_id=project_id, name=name, statuses=statuses, limit=limit
    )


def which_exist(session: Session, job_ids: Collection[str]) -> set[str]:
    """Which of these jobs there are."""
    return JobRepository(session).which_exist(job_ids) if job_ids else set()


def has_unfinished(session: Session, name: str, project_id: int | None) -> bool:
    """True if a job of that name is queued, running or waiting for the project."""
    return JobRepository(session).has_unfinished(name, project_id)
