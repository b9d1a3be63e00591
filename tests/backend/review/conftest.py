"""A project of twelve records whose answers the tests write, without Label Studio."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr

from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.models import Annotation, Annotator, Project, ReviewCase, Task
from backend.projects.service import ProjectsService
from backend.review import situation_repository
from backend.review.refreshing import Refreshed, refresh_desk
from tests.backend.annotations.conftest import NOW, Seeded, seeded
from tests.backend.training.loop import SetClock

__all__ = ["seeded"]


@dataclass
class Desk:
    """The project, a clock, and people who answer straight into the store."""

    services: Services
    clock: SetClock
    project_id: int
    _ids: Any = field(default_factory=lambda: count(1))

    @property
    def project(self) -> Project:
        with self.services.database.reading() as session:
            return ProjectsService(session, self.clock).get(self.project_id)

    def people(self, *names: str) -> list[int]:
        """Annotators with these names; their ids."""
        made = []
        with self.services.database.transaction() as session:
            for name in names:
                row = Annotator(
                    label_studio_user_id=next(self._ids),
                    name=name,
                    email=f"{name.lower()}@example.org",
                    created_at=NOW,
                )
                session.add(row)
                session.flush()
                made.append(row.id)
        return made

    def answer(
        self,
        task_id: int,
        person: int | None,
        grade: str | None,
        *,
        issues: Sequence[str] = (),
        fields: Sequence[str] = (),
        skipped: bool = False,
        problems: Sequence[str] = (),
        deleted: bool = False,
        annotation_id: int | None = None,
        revision: int = 1,
    ) -> int:
        """The answer is in the store; Label Studio's annotation id."""
        self.clock.advance(1)
        number = annotation_id or next(self._ids) + 5_000
        with self.services.database.transaction() as session:
            session.add(
                Annotation(
                    project_id=self.project_id,
                    task_id=task_id,
                    annotator_id=person,
                    label_studio_annotation_id=number,
                    revision=revision,
                    identity=str(revision),
                    grade=grade,
                    issues=list(issues),
                    faulty_fields=list(fields),
                    was_cancelled=skipped,
                    problems=list(problems),
                    is_deleted=deleted,
                    annotated_at=self.clock(),
                    revised_at=self.clock(),
                    lead_time=12.5,
                    via="sync",
                    received_at=self.clock(),
                )
            )
        return number

    def refresh(self) -> Refreshed:
        """Consensus labels and cases are up to date."""
        self.clock.advance(1)
        return refresh_desk(self.services, self.project_id)

    def cases(self) -> dict[int, ReviewCase]:
        """Task id to its case."""
        with self.services.database.reading() as session:
            return situation_repository.cases_by_task(session, self.project_id)

    def task(self, task_id: int) -> Task:
        with self.services.database.reading() as session:
            row = session.get(Task, task_id)
        assert row is not None
        return row

    def set_policy(self, **changes: Any) -> None:
        """The project's policy has these settings."""
        with self.services.database.transaction() as session:
            ProjectsService(session, self.clock).set_policy(self.project_id, changes, actor="test")


@pytest.fixture
def new_desk(tmp_path: Any) -> Callable[[Seeded], Desk]:
    """Makes a desk over a seeded store."""

    def make(world: Seeded) -> Desk:
        clock = SetClock()
        clock.now = NOW + timedelta(hours=1)
        settings = Settings(
            data_dir=tmp_path,
            session_secret=SecretStr("a session secret for the tests"),
            webhook_secret=SecretStr("a webhook secret for the tests"),
            label_studio_url="http://label-studio.example",
        )
        services = Services(settings=settings, database=world.database, clock=clock)
        made = Desk(services, clock, world.project_id)
        made.set_policy(review_below=0.5)  # two of three answers settle a record
        return made

    return make


@pytest.fixture
def desk(new_desk: Callable[[Seeded], Desk], seeded: Seeded) -> Desk:
    return new_desk(seeded)


@pytest.fixture
def services(desk: Desk) -> Services:
    """Of the desk, for the application of the tests."""
    return desk.services


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """SQLite, unless a test asks for both."""
    return sqlite_database
