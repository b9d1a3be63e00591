"""Every query on schedules, and which projects are in Label Studio."""

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from backend.jobs.repository import changed_rows
from backend.models import Project, Schedule


class ScheduleRepository:
    """The rows of ``schedule``, and which projects are in Label Studio."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, project_id: int, job_name: str) -> Schedule | None:
        """The project's schedule of that job."""
        return self._session.scalar(
            select(Schedule).where(
                col(Schedule.project_id) == project_id, col(Schedule.job_name) == job_name
            )
        )

    def add(self, schedule: Schedule) -> None:
        """Insert the row."""
        self._session.add(schedule)
        self._session.flush()

    def all_of(self, project_id: int) -> list[Schedule]:
        """The project's schedules by job name."""
        query = select(Schedule).where(col(Schedule.project_id) == project_id)
        return list(self._session.scalars(query.order_by(col(Schedule.job_name))))

    def due(self, now: datetime) -> list[Schedule]:
        """Enabled schedules whose time has come, or that have no time yet."""
        query = select(Schedule).where(
            col(Schedule.is_enabled).is_(True),
            or_(col(Schedule.next_run_at).is_(None), col(Schedule.next_run_at) <= now),
        )
        return list(self._session.scalars(query.order_by(col(Schedule.id))))

    def move(self, schedule: Schedule, next_run_at: datetime, last_run_at: datetime | None) -> bool:
        """Compare and set: False if another worker has moved the schedule meanwhile."""
        seen = schedule.next_run_at
        statement = (
            update(Schedule)
            .where(
                col(Schedule.id) == schedule.id,
                col(Schedule.next_run_at).is_(None)
                if seen is None
                else col(Schedule.next_run_at) == seen,
                col(Schedule.cron) == schedule.cron,
            )
            .values(next_run_at=next_run_at, last_run_at=last_run_at)
            .execution_options(synchronize_session=False)
        )
        return changed_rows(self._session, statement) == 1

    def projects(self) -> list[int]:
        """Ids of all projects."""
        return list(self._session.scalars(select(col(Project.id))))

    def projects_in_label_studio(self) -> list[int]:
        """Ids of the projects that have a Label Studio project."""
        query = select(col(Project.id)).where(col(Project.label_studio_project_id).is_not(None))
        return [project_id for project_id in self._session.scalars(query) if project_id]
