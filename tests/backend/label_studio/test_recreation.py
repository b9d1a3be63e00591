"""A project that Label Studio lost: told at once, and made anew without losing an answer."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from backend.annotations.intake import AnnotationIntake
from backend.annotations.people import know_annotators
from backend.core.exceptions import Conflict
from backend.core.services import Services
from backend.core.settings import Settings
from backend.integrity.repository import unpushed_tasks_of_pushed_batches
from backend.jobs.inline import InlineRunner
from backend.jobs.queue import enqueue
from backend.jobs.registry import Registry
from backend.label_studio.connection import LabelStudioProjectGone, check_held, project_marker
from backend.label_studio.jobs import handlers
from backend.label_studio.push import push_batches
from backend.label_studio.recreation import recreate
from backend.label_studio.sync import silent
from backend.loop import revision_repository
from backend.loop.job_names import ASK, SYNC
from backend.models import Annotator, Batch, Job, Project, SyncCursor, Task
from backend.projects.service import ProjectsService
from backend.review.asking import ask_label_studio
from labeling.exceptions import LabelStudioRefused
from tests.backend.annotations.conftest import NOW, TASKS, Seeded
from tests.backend.annotations.test_people import answer

ADA, BOB = "ada@example.com", "bob@example.com"


class LabelStudio:
    """What a Label Studio says of its projects, tasks and people."""

    def __init__(self) -> None:
        self.project: dict[str, Any] | None = None
        self.keys: set[str] = set()
        self.people: dict[int, str] = {}
        self.status = 404
        self.asked: dict[int, int] = {}

    def update_task(self, task_id: int, changes: dict[str, Any]) -> None:
        self.asked[task_id] = changes["overlap"]

    def get_project(self, _project_id: int) -> dict[str, Any]:
        if self.project is None:
            raise LabelStudioRefused("No Project matches the given query.", self.status)
        return self.project

    def find_tasks(self, _project_id: int, keys: list[str]) -> dict[str, list[int]]:
        return {key: [1] for key in keys if key in self.keys}

    def users(self) -> list[dict[str, Any]]:
        return [{"id": number, "email": email} for number, email in self.people.items()]


@pytest.fixture
def label_studio() -> LabelStudio:
    return LabelStudio()


@pytest.fixture
def services(seeded: Seeded, label_studio: LabelStudio, tmp_path: Path) -> Services:
    made = Services(settings=Settings(data_dir=tmp_path), database=seeded.database)
    made.__dict__["label_studio"] = label_studio
    made.clock = lambda: NOW
    return made


@pytest.fixture
def answered(seeded: Seeded) -> Seeded:
    """Two people answered the first task, one the second; the third is deleted there."""
    with seeded.database.transaction() as session:
        for user, email in ((2, ADA), (3, BOB)):
            session.add(Annotator(label_studio_user_id=user, email=email, created_at=NOW))
        session.flush()
        intake = AnnotationIntake(session, seeded.project_id, via="webhook", now=NOW)
        intake.apply(
            [
                answer(1, 1001, 2, "good", 1),
                answer(2, 1001, 3, "good", 2),
                answer(3, 1002, 2, "poor", 3),
            ]
        )
        intake.delete_tasks([1003])
    return seeded


def test_a_project_is_known_by_its_mark_or_by_a_task_of_ours(
    seeded: Seeded, services: Services, label_studio: LabelStudio
) -> None:
    with pytest.raises(LabelStudioProjectGone, match="is gone"):
        check_held(services, seeded.project)
    label_studio.project = {"description": "assay-project-9-1"}
    with pytest.raises(LabelStudioProjectGone, match="another project now") as told:
        check_held(services, seeded.project)
    assert "make the project anew there" in str(told.value)
    with pytest.raises(LabelStudioProjectGone):
        push_batches(services, seeded.project_id)
    with seeded.database.reading() as session:
        label_studio.keys = {str(session.exec(select(Task.key)).first())}
    check_held(services, seeded.project)
    label_studio.project, label_studio.keys = {"description": project_marker(seeded.project)}, set()
    check_held(services, seeded.project)


@pytest.mark.parametrize("status", [404, 401])
def test_the_sync_waits_and_says_why(
    answered: Seeded, services: Services, label_studio: LabelStudio, status: int
) -> None:
    label_studio.status = status
    registry = Registry()
    registry.add_all(handlers(services), queue="light")
    with services.database.transaction() as session:
        job_id = enqueue(session, SYNC, project_id=answered.project_id, now=NOW)
    InlineRunner(services.database, registry, services.clock).run_pending()
    with services.database.reading() as session:
        job, cursor = session.get(Job, job_id), session.get(SyncCursor, answered.project_id)
        assert job is not None
        assert cursor is not None
        assert job.status == "waiting"
        words = {404: "make the project anew", 401: "No Project matches"}[status]
        assert words in str(job.error)
        assert words in str(cursor.error)
        assert len(revision_repository.current_revisions(session, answered.project_id)) == 3


def test_making_it_anew_keeps_answers_and_asks_only_for_what_is_missing(
    answered: Seeded, services: Services, label_studio: LabelStudio
) -> None:
    label_studio.people = {1: "admin@example.com", 2: BOB}
    done = recreate(services, answered.project_id, actor="cli")
    assert (done.answers_kept, done.tasks_pushed_again, done.annotators_let_go) == (3, TASKS - 2, 2)

    with services.database.transaction() as session:
        project = session.get(Project, answered.project_id)
        assert project is not None
        assert project.label_studio_project_id is None
        assert session.exec(select(Batch)).one().pushed_at is None
        assert not unpushed_tasks_of_pushed_batches(session, answered.project_id)
        tasks = list(session.exec(select(Task).order_by(col(Task.id))))
        assert {task.label_studio_task_id for task in tasks} == {None}
        assert [task.key.startswith("imported-") for task in tasks] == [
            True,
            False,
            True,
            *[False] * (TASKS - 3),
        ]
        # A new Label Studio begins with 1 again: for its projects, tasks, answers and people.
        project.label_studio_project_id = 77
        tasks[1].label_studio_task_id = 1
        intake = AnnotationIntake(session, answered.project_id, via="webhook", now=NOW)
        intake.apply([answer(1, 1, 2, "fair", 9)])
    know_annotators(services)

    with services.database.reading() as session:
        assert _grades(session, answered) == {
            (tasks[0].id, ADA, "good"),
            (tasks[0].id, BOB, "good"),
            (tasks[1].id, ADA, "poor"),
            (tasks[1].id, BOB, "fair"),
        }
        assert len(session.exec(select(Annotator)).all()) == 2, "Bob is Bob again"
        newest = max(
            revision_repository.current_revisions(session, answered.project_id),
            key=lambda row: row.id,
        )
        assert newest.revision == 1, "no revision of an answer with the same number before"

    label_studio.people = {}
    done = recreate(services, answered.project_id, actor="cli")
    assert done.answers_kept == 1, "and once more"
    with services.database.reading() as session:
        assert len(_grades(session, answered)) == 4


def test_only_the_missing_answers_are_asked_for_anew(
    answered: Seeded, services: Services, label_studio: LabelStudio
) -> None:
    with services.database.transaction() as session:
        ProjectsService(session, services.clock).set_policy(
            answered.project_id, {"annotators_per_record": 3}, actor="test"
        )
    recreate(services, answered.project_id, actor="cli")
    with services.database.transaction() as session:
        assert session.exec(select(Job).where(Job.name == ASK)).one().status == "queued"
        project = session.get(Project, answered.project_id)
        batch = session.exec(select(Batch)).one()
        assert project is not None
        project.label_studio_project_id, batch.pushed_at = 77, NOW  # as after the push
        tasks = session.exec(select(Task).order_by(col(Task.id))).all()
        for number, task in enumerate(tasks):
            task.label_studio_task_id = 2001 + number
        description = project_marker(project)
    label_studio.project = {"description": description, "label_config": "<View/>"}
    ask_label_studio(services, answered.project_id, silent)
    assert label_studio.asked == {2001: 1, 2002: 2}, "of three, two and one are here"


def test_what_label_studio_holds_is_not_made_anew(
    answered: Seeded, services: Services, label_studio: LabelStudio
) -> None:
    label_studio.project = {"description": project_marker(answered.project)}
    with pytest.raises(Conflict, match="holds 'Shop', as its project 77"):
        recreate(services, answered.project_id, actor="cli")
    with services.database.transaction() as session:
        session.merge(answered.project).label_studio_project_id = None
    with pytest.raises(Conflict, match="never in Label Studio"):
        recreate(services, answered.project_id, actor="cli")


def _grades(session: Session, seeded: Seeded) -> set[tuple[int | None, str | None, str | None]]:
    emails = {row.id: row.email for row in session.exec(select(Annotator))}
    rows = revision_repository.current_revisions(session, seeded.project_id)
    return {(row.task_id, emails[row.annotator_id], row.grade) for row in rows}
