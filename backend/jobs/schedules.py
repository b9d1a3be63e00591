"""Jobs that time enqueues: cron rows, and periodic jobs that are always on.

Any number of workers may tick: a cron row is moved by compare-and-set, and the job's key
names the tick; a period is one worker's by a lease that lasts until it ends. So each tick makes
one job. A tick is skipped while the same job is still unfinished, and ticks missed while no
worker ran are made up for by one job, not by many. Where the clock was set back, periods go on
by the new time; what cron named already is not named again. Cron times are UTC.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from croniter import CroniterBadDateError, croniter
from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.exceptions import InvalidInput
from backend.jobs import queue
from backend.jobs.lease_repository import LeaseRepository
from backend.jobs.schedule_repository import ScheduleRepository
from backend.models import Schedule
from backend.words import Message

logger = logging.getLogger(__name__)


def projects_in_label_studio(session: Session) -> list[int]:
    """Ids of the projects that have a Label Studio project: those to sync."""
    return ScheduleRepository(session).projects_in_label_studio()


def every_project(session: Session) -> list[int]:
    """Ids of all projects."""
    return ScheduleRepository(session).projects()


def of_no_project(_session: Session) -> list[None]:
    """For a job that is there once, not once a project."""
    return [None]


def always(_project_id: int | None) -> bool:
    """For a job that has something to do at each tick."""
    return True


@dataclass(frozen=True)
class PeriodicJob:
    """A job that every project in ``project_ids`` gets once per ``seconds``; None: of none.

    ``is_due`` may say that it would change nothing; then there is neither job nor row. It is
    asked outside any transaction, at each tick that finds the last such job finished.
    """

    name: str
    seconds: int
    project_ids: Callable[[Session], Sequence[int | None]] = projects_in_label_studio
    is_due: Callable[[int | None], bool] = always


def next_time(cron: str, after: datetime) -> datetime:
    """The first time after ``after`` that the cron expression (5 fields, UTC) names.

    Raises:
        InvalidInput: it is not a cron expression, or names a day that never comes.
    """
    if len(cron.split()) != 5 or not croniter.is_valid(cron):
        raise InvalidInput(
            Message("{cron!r} is not a cron expression.", cron=cron),
            field="cron",
            value=cron,
            remedy=Message(
                "Use five fields: minute hour day month weekday, for example '0 3 * * *'."
            ),
        )
    try:
        found: datetime = croniter(cron, after).get_next(datetime)
    except CroniterBadDateError:
        raise InvalidInput(
            Message("{cron!r} names a day that never comes.", cron=cron),
            field="cron",
            value=cron,
            remedy=Message(
                "Check its day and month, for example '0 3 1 * *' for the first of each month."
            ),
        ) from None
    return found


def set_schedule(
    session: Session, project_id: int, job_name: str, cron: str | None, *, now: datetime
) -> Schedule | None:
    """The project's job runs by ``cron`` from now on; None switches the schedule off.

    Raises:
        InvalidInput: it is not a cron expression.
    """
    repository = ScheduleRepository(session)
    schedule = repository.find(project_id, job_name)
    if cron is None:
        if schedule is not None:
            schedule.is_enabled = False
        return schedule
    next_run_at = next_time(cron, now)
    if schedule is None:
        schedule = Schedule(project_id=project_id, job_name=job_name, cron=cron)
        repository.add(schedule)
    schedule.cron, schedule.is_enabled, schedule.next_run_at = cron, True, next_run_at
    session.add(schedule)
    session.flush()
    return schedule


class Scheduler:
    """Enqueues what is due; both ways to run are called every few seconds."""

    def __init__(
        self, database: Database, clock: Clock, periodic: Sequence[PeriodicJob] = ()
    ) -> None:
        self._database = database
        self._clock = clock
        self._periodic = tuple(periodic)
        self._last_ticks: dict[tuple[str, int | None], datetime] = {}

    def tick(self) -> list[str]:
        """Ids of the jobs that this call made sure exist."""
        return [*self.run_cron(), *self.run_periodic()]

    def run_cron(self) -> list[str]:
        """Jobs of cron rows whose time has come; their ids."""
        now = self._clock()
        with self._database.reading() as session:
            due = ScheduleRepository(session).due(now)
        job_ids = [self._run_schedule(schedule, now) for schedule in due]
        return [job_id for job_id in job_ids if job_id]

    def _run_schedule(self, schedule: Schedule, now: datetime) -> str | None:
        try:
            next_run_at = next_time(schedule.cron, now)
        except InvalidInput as error:
            logger.warning("schedule %s is skipped: %s", schedule.id, error)
            return None
        tick = schedule.next_run_at
        with self._database.transaction() as session:
            last_run_at = schedule.last_run_at if tick is None else now
            if not ScheduleRepository(session).move(schedule, next_run_at, last_run_at):
                return None
            if tick is None or queue.has_unfinished(
                session, schedule.job_name, schedule.project_id
            ):
                return None
            return queue.enqueue(
                session,
                schedule.job_name,
                project_id=schedule.project_id,
                args={"trigger": "schedule"},
                key=f"schedule:{schedule.id}:{tick.isoformat()}",
                now=now,
            )

    def run_periodic(self) -> list[str]:
        """Periodic jobs that are due; their ids."""
        now = self._clock()
        job_ids = []
        for job in self._periodic:
            with self._database.reading() as session:
                project_ids = job.project_ids(session)
            for project_id in project_ids:
                end = _end_of_tick(job, project_id, now)
                if self._last_ticks.get((job.name, project_id)) == end:
                    continue
                if not self._has_unfinished(job, project_id) and job.is_due(project_id):
                    job_ids += self._run_tick(job, project_id, now, end)
                self._last_ticks[job.name, project_id] = end
        return job_ids

    def _has_unfinished(self, job: PeriodicJob, project_id: int | None) -> bool:
        with self._database.reading() as session:
            return queue.has_unfinished(session, job.name, project_id)

    def _run_tick(
        self, job: PeriodicJob, project_id: int | None, now: datetime, end: datetime
    ) -> list[str]:
        with self._database.transaction() as session:
            if not _take_tick(session, job, project_id, now, end) or queue.has_unfinished(
                session, job.name, project_id
            ):
                return []
            return [
                queue.renew(
                    session,
                    job.name,
                    project_id=project_id,
                    args={"trigger": "schedule"},
                    key="periodic",
                    now=now,
                )
            ]


def _end_of_tick(job: PeriodicJob, project_id: int | None, now: datetime) -> datetime:
    """Ticks are multiples of the period; projects take turns, so theirs are spread over it."""
    shift = (project_id or 0) * 7
    tick = int(now.timestamp() + shift) // job.seconds
    return datetime.fromtimestamp((tick + 1) * job.seconds - shift, UTC)


def _take_tick(
    session: Session, job: PeriodicJob, project_id: int | None, now: datetime, end: datetime
) -> bool:
    """True for one worker a tick, also for ticks that come again as the clock was set back."""
    return LeaseRepository(session).acquire(
        f"tick:{job.name}:{project_id}",
        holder="schedule",
        now=now,
        expires_at=end,
        longest=timedelta(seconds=job.seconds),
    )
