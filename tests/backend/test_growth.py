"""What is asked of the store again and again takes steps as there are answers, not their square."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.features.snapshot import take_snapshot
from backend.integrity.service import verify_project
from backend.label_exchange.schemas import ExportRequest
from backend.label_exchange.service import Exports
from backend.loop.answer_repository import answers_of, gold_answers, states
from backend.loop.revision_repository import current_revisions
from backend.loop.service import LoopService
from backend.models import Project
from backend.overview.service import OverviewService
from backend.projects.service import ProjectsService
from backend.review.refreshing import is_desk_behind, refresh_desk
from backend.review.situation_repository import tasks_with_lost_answers
from benchmarks.answered_store import fill

SMALL, TIMES_LARGER = 300, 6
MOST = 2.0 * TIMES_LARGER
"""n log n of six times the records is seven to eight times the steps; the square is 36 times."""
STEPS_A_CALL = 100

Question = Callable[[Services, Project], object]


def reading(ask: Callable[[Session, Services, Project], object]) -> Question:
    def asked(services: Services, project: Project) -> object:
        with services.database.reading() as session:
            return ask(session, services, project)

    return asked


def exported(session: Session, services: Services, project: Project) -> object:
    exports = Exports.at_one_moment(session, services.clock, project)
    return [list(exports.rows(ExportRequest(what=what))) for what in ("best", "annotations")]


def at_home(project: Project) -> Project:
    """Not in Label Studio, so that the store alone is looked at."""
    return project.model_copy(update={"label_studio_project_id": None})


QUESTIONS: dict[str, Question] = {
    "answers": reading(lambda session, _, project: answers_of(session, project.id)),
    "states": reading(lambda session, _, project: states(session, project.id)),
    "revisions": reading(lambda session, _, project: current_revisions(session, project.id)),
    "gold": reading(lambda session, _, project: gold_answers(session, project.id)),
    "lost": reading(lambda session, _, project: tasks_with_lost_answers(session, project.id)),
    "loop": reading(lambda session, s, project: LoopService(session, s.clock).steps_due(project)),
    "page": reading(
        lambda session, s, p: OverviewService(session, s.clock, s.settings).project(p.id)
    ),
    "export": reading(exported),
    "behind": lambda services, project: is_desk_behind(services, project.id),
    "refresh": lambda services, project: refresh_desk(services, project.id, is_full=True),
    "snapshot": take_snapshot,
    "verify": lambda services, project: verify_project(services, at_home(project)),
}


@pytest.fixture(scope="module")
def projects(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[Services, Project]]:
    """A small and a larger one, answered and refreshed, without SQLite's statistics."""
    made = []
    for records in (SMALL, SMALL * TIMES_LARGER):
        folder = tmp_path_factory.mktemp(f"answered-{records}")
        shutil.copyfile(sqlite_template, folder / "assay.sqlite3")
        services = Services(
            settings=Settings(data_dir=folder),
            database=Database(f"sqlite:///{folder}/assay.sqlite3"),
        )
        project_id = fill(services, records, {})
        refresh_desk(services, project_id)
        with services.database.reading() as session:
            project = ProjectsService(session, services.clock).get(project_id)
        made.append((services, project))
    return made


def steps(services: Services, project: Project, ask: Question) -> int:
    """Of SQLite's virtual machine, in hundreds."""
    counted = [0]

    def count() -> None:
        counted[0] += 1

    def watch(connection: Any, *_rest: object) -> None:
        connection.set_progress_handler(count, STEPS_A_CALL)

    services.database.engine.dispose()
    event.listen(services.database.engine, "connect", watch)
    try:
        ask(services, project)
    finally:
        event.remove(services.database.engine, "connect", watch)
        services.database.engine.dispose()
    return counted[0]


@pytest.mark.parametrize("question", QUESTIONS)
def test_six_times_the_answers_take_no_more_than_a_dozen_times_the_steps(
    projects: list[tuple[Services, Project]], question: str
) -> None:
    few, many = (steps(*each, QUESTIONS[question]) for each in projects)
    assert many <= MOST * max(few, 20), f"{few} and {many} hundred steps"
