"""Every query on jobs, and the statements that the other tables here share."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlmodel import Session, col

from backend.models import Job, Lease, Worker

UNFINISHED = ("queued", "running", "waiting")
FINISHED = ("done", "failed", "cancelled")


def changed_rows(session: Session, statement: Insert | Update | Delete) -> int:
    """Run a writing statement; the number of rows it touched."""
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def insert_into(session: Session, table: type[Job | Lease | Worker]) -> Any:
    """INSERT of the session's dialect: both know ON CONFLICT, core SQLAlchemy doesn't."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


class JobRepository:
    """The rows of ``job``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_if_absent(self, job: Job) -> None:
        """Insert the row unless its id exists; a racing insert of the same id is waited for."""
        values = job.model_dump()
        self._session.execute(
            insert_into(self._session, Job).values(**values).on_conflict_do_nothing()
        )

    def get(self, job_id: str) -> Job | None:
        """The row as it is now."""
        return self._session.get(Job, job_id, populate_existing=True)

    def recent(
        self,
        *,
        project_id: int | None,
        name: str | None,
        statuses: Sequence[str] | None,
        limit: int,
    ) -> list[Job]:
        """Newest first."""
        query = select(Job).order_by(col(Job.enqueued_at).desc(), col(Job.id)).limit(limit)
        if project_id is not None:
            query = query.where(col(Job.project_id) == project_id)
        if name is not None:
            query = query.where(col(Job.name) == name)
        if statuses is not None:
            query = query.where(col(Job.status).in_(statuses))
        return list(self._session.scalars(query))

    def has_unfinished(self, name: str, project_id: int | None) -> bool:
        """True if such a job is queued, running or waiting."""
        query = (
            select(col(Job.id))
            .where(col(Job.name) == name, col(Job.status).in_(UNFINISHED))
            .where(
                col(Job.project_id).is_(None)
                if project_id is None
                else col(Job.project_id) == project_id
            )
            .limit(1)
        )
        return self._session.scalar(query) is not None

    def request_cancel(self, job_id: str, *, now: datetime) -> None:
        """Set the flag; what has not started is cancelled at once."""
        self._session.execute(
            update(Job)
            .where(col(Job.id) == job_id, col(Job.status).in_(("queued", "waiting")))
            .values(status="cancelled", cancel_requested=True, finished_at=now)
        )
        self._session.execute(
            update(Job)
            .where(col(Job.id) == job_id, col(Job.status) == "running")
            .values(cancel_requested=True)
        )

    def to_hand_over(
        self, now: datetime, limit: int, *, longest_wait: timedelta
    ) -> list[tuple[str, str, int]]:
        """(id, name, generation) of rows that the engine does not have yet, oldest first.

        One that would wait for more than ``longest_wait`` is due: the clock was set back.
        """
        query = (
            select(col(Job.id), col(Job.name), col(Job.generation))
            .where(
                col(Job.status).in_(("queued", "waiting")),
                col(Job.handed_over_at).is_(None),
                or_(
                    col(Job.not_before).is_(None),
                    col(Job.not_before) <= now,
                    col(Job.not_before) > now + longest_wait,
                ),
            )
            .order_by(col(Job.enqueued_at), col(Job.id))
            .limit(limit)
        )
        return [(row[0], row[1], row[2]) for row in self._session.execute(query)]

    def mark_handed_over(self, job_id: str, generation: int, now: datetime) -> None:
        """The engine has this generation."""
        self._session.execute(
            update(Job)
            .where(col(Job.id) == job_id, col(Job.generation) == generation)
            .where(col(Job.handed_over_at).is_(None))
            .values(handed_over_at=now)
        )

    def lock(self, job_id: str) -> Job | None:
        """The row, nobody else's until the transaction ends."""
        query = select(Job).where(col(Job.id) == job_id).with_for_update()
        return self._session.scalar(query.execution_options(populate_existing=True))

    def lock_if_current(self, job_id: str, generation: int, attempt: int) -> bool:
        """True if that attempt runs the job now; it stays so until the transaction ends."""
        job = self.lock(job_id)
        return job is not None and (job.generation, job.attempt, job.status) == (
            generation,
            attempt,
            "running",
        )

    def save_progress(
        self, job_id: str, generation: int, attempt: int, fraction: float, message: str
    ) -> None:
        """Progress of the running attempt; that of an overtaken one is dropped."""
        self._session.execute(
            update(Job)
            .where(
                col(Job.id) == job_id,
                col(Job.generation) == generation,
                col(Job.attempt) == attempt,
                col(Job.status) == "running",
            )
            .values(progress=fraction, message=message)
        )

    def requeue(self, job_id: str, generation: int, *, crashed: bool) -> bool:
        """The unfinished job gets a new generation; what runs the old one is overtaken."""
        statement = (
            update(Job)
            .where(
                col(Job.id) == job_id,
                col(Job.generation) == generation,
                col(Job.status).in_(UNFINISHED),
            )
            .values(
                status="queued",
                generation=generation + 1,
                handed_over_at=None,
                not_before=None,
                crashes=Job.crashes + int(crashed),
            )
        )
        return changed_rows(self._session, statement) == 1

    def running_on(self, worker_id: str) -> list[tuple[str, int]]:
        """(id, generation) of the jobs that a worker was running."""
        query = select(col(Job.id), col(Job.generation)).where(
            col(Job.status) == "running", col(Job.worker_id) == worker_id
        )
        return [(row[0], row[1]) for row in self._session.execute(query)]

    def handed_over(self, before: datetime, limit: int) -> list[tuple[str, int]]:
        """(id, generation) of unfinished rows that the engine should have."""
        query = (
            select(col(Job.id), col(Job.generation))
            .where(col(Job.status).in_(UNFINISHED), col(Job.handed_over_at) < before)
            .order_by(col(Job.handed_over_at))
            .limit(limit)
        )
        return [(row[0], row[1]) for row in self._session.execute(query)]

    def purge(
        self, *, before: datetime, routine_before: datetime, routine_names: Collection[str]
    ) -> int:
        """Drop finished rows older than ``before``, done routine ones before theirs."""
        old = changed_rows(
            self._session,
            delete(Job).where(col(Job.status).in_(FINISHED), col(Job.finished_at) < before),
        )
        routine = changed_rows(
            self._session,
            delete(Job).where(
                col(Job.status) == "done",
                col(Job.name).in_(routine_names),
                col(Job.finished_at) < routine_before,
            ),
        )
        return old + routine
