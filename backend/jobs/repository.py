"""Every query on jobs, and the statements that the other tables here share."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlmodel import Session, SQLModel, col

from backend.jobs.doorbell_repository import announce
from backend.models import Job, Worker

UNFINISHED = ("queued", "running", "waiting")
UNCLAIMED = ("queued", "waiting")
FINISHED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Names:
    """Which jobs are meant: those called so, or all that are not."""

    names: frozenset[str] = frozenset()
    is_all_but: bool = True


def changed_rows(session: Session, statement: Insert | Update | Delete) -> int:
    """Run a writing statement; the number of rows it touched."""
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def insert_into(session: Session, table: type[SQLModel]) -> Any:
    """INSERT of the session's dialect: both know ON CONFLICT, core SQLAlchemy doesn't."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def _of_project(project_id: int | None) -> ColumnElement[bool]:
    return (
        col(Job.project_id).is_(None) if project_id is None else col(Job.project_id) == project_id
    )


def _due(names: Names, now: datetime, longest_wait: timedelta) -> list[ColumnElement[bool]]:
    called = col(Job.name).in_(names.names)
    return [
        col(Job.status).in_(UNCLAIMED),
        ~called if names.is_all_but else called,
        or_(
            col(Job.not_before).is_(None),
            col(Job.not_before) <= now,
            col(Job.not_before) > now + longest_wait,
        ),
    ]


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
        announce(self._session)

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
            .where(_of_project(project_id))
            .limit(1)
        )
        return self._session.scalar(query) is not None

    def list_unfinished(self, name: str, project_id: int | None, limit: int) -> list[Job]:
        """Such jobs that are queued, running or waiting, oldest first."""
        query = (
            select(Job)
            .where(col(Job.name) == name, col(Job.status).in_(UNFINISHED), _of_project(project_id))
            .order_by(col(Job.enqueued_at), col(Job.id))
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def which_exist(self, job_ids: Collection[str]) -> set[str]:
        """Which of these ids there are."""
        return set(self._session.scalars(select(col(Job.id)).where(col(Job.id).in_(job_ids))))

    def request_cancel(self, job_id: str, *, now: datetime) -> None:
        """Set the flag; what has not started is cancelled at once."""
        self._session.execute(
            update(Job)
            .where(col(Job.id) == job_id, col(Job.status).in_(UNCLAIMED))
            .values(status="cancelled", cancel_requested=True, finished_at=now)
        )
        self._session.execute(
            update(Job)
            .where(col(Job.id) == job_id, col(Job.status) == "running")
            .values(cancel_requested=True)
        )

    def due_names(self, now: datetime, *, longest_wait: timedelta) -> set[str]:
        """Names of the jobs that wait for nothing but a worker."""
        query = select(col(Job.name)).where(*_due(Names(), now, longest_wait)).distinct()
        return set(self._session.scalars(query))

    def lock_due(
        self,
        names: Names,
        now: datetime,
        limit: int,
        *,
        longest_wait: timedelta,
        apart_from: Collection[str] = (),
    ) -> list[Job]:
        """Jobs that wait for nothing but a worker, oldest first; rows others hold are passed by.

        One that would wait for more than ``longest_wait`` is due: the clock was set back.
        """
        query = (
            select(Job)
            .where(*_due(names, now, longest_wait), col(Job.id).not_in(apart_from))
            .order_by(col(Job.enqueued_at), col(Job.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return list(self._session.scalars(query))

    def next_time(self, now: datetime) -> datetime | None:
        """When the next waiting job is due; None if none waits."""
        query = select(func.min(col(Job.not_before))).where(
            col(Job.status).in_(UNCLAIMED), col(Job.not_before) > now
        )
        return self._session.scalar(query)

    def lock_unclaimed(self, name: str, project_id: int | None, limit: int) -> list[Job]:
        """Jobs that no worker has claimed, nor claims until the transaction ends.

        A row that is being claimed at this moment, or that someone else holds, is passed by.
        """
        query = (
            select(Job)
            .where(col(Job.name) == name, _of_project(project_id))
            .where(col(Job.status).in_(UNCLAIMED), col(Job.cancel_requested).is_(False))
            .order_by(col(Job.enqueued_at), col(Job.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return list(self._session.scalars(query.execution_options(populate_existing=True)))

    def renew(self, job: Job) -> None:
        """Insert the row; one of the same id that has ended begins anew with its attempts kept."""
        values = job.model_dump()
        kept = {"id", "attempt"}
        statement = insert_into(self._session, Job).values(**values)
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["id"],
                set_={name: value for name, value in values.items() if name not in kept},
                where=col(Job.status).in_(FINISHED),
            )
        )
        announce(self._session)

    def lock(self, job_id: str) -> Job | None:
        """The row, nobody else's until the transaction ends."""
        query = select(Job).where(col(Job.id) == job_id).with_for_update()
        return self._session.scalar(query.execution_options(populate_existing=True))

    def lock_if_current(self, job_id: str, attempt: int) -> Job | None:
        """The row if that attempt runs the job now; it stays so until the transaction ends."""
        job = self.lock(job_id)
        is_current = job is not None and (job.attempt, job.status) == (attempt, "running")
        return job if is_current else None

    def save_progress(self, job_id: str, attempt: int, fraction: float, message: str) -> None:
        """Progress of the running attempt; that of an overtaken one is dropped."""
        self._session.execute(
            update(Job)
            .where(col(Job.id) == job_id, col(Job.attempt) == attempt, col(Job.status) == "running")
            .values(progress=fraction, message=message)
        )

    def requeue(self, job_id: str, attempt: int, *, crashed: bool) -> bool:
        """The running job is to be claimed again; what that attempt still does is overtaken."""
        statement = (
            update(Job)
            .where(col(Job.id) == job_id, col(Job.attempt) == attempt, col(Job.status) == "running")
            .values(status="queued", not_before=None, crashes=Job.crashes + int(crashed))
        )
        return changed_rows(self._session, statement) == 1

    def jobs_running_on(self, worker_id: str) -> list[tuple[str, int]]:
        """(id, attempt) of the jobs that a worker was running."""
        query = select(col(Job.id), col(Job.attempt)).where(
            col(Job.status) == "running", col(Job.worker_id) == worker_id
        )
        return [(row[0], row[1]) for row in self._session.execute(query)]

    def jobs_running_nowhere(self) -> list[tuple[str, int]]:
        """(id, attempt) of running jobs whose worker is not known: a forgotten one woke up."""
        query = select(col(Job.id), col(Job.attempt)).where(
            col(Job.status) == "running", col(Job.worker_id).not_in(select(col(Worker.id)))
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
