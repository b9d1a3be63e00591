"""A loop of one round in which some answers were wrong, and the application over its store."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from backend.core.database import Database
from backend.core.services import Services
from backend.models import Project, Record, Task
from tests.backend.training.conftest import new_loop
from tests.backend.training.loop import Loop, true_grade, wrong_grade

__all__ = ["new_loop"]

POLICY = {"batch_size": 60, "audit_share": 0.2, "max_rounds": 1, "fine_tune_after": None}


def is_wrong(external_id: str) -> bool:
    """True for the records that nobody answers rightly."""
    return int(external_id) % 11 == 4


def mostly_right(task: Task, record: Record) -> str:
    """What a person says who errs on some records."""
    return (wrong_grade if is_wrong(record.external_id) else true_grade)(task, record)


@pytest.fixture
def labelled(new_loop: Callable[..., Loop]) -> Callable[..., Loop]:
    """Makes a loop whose only round is answered, with a model version and its assessment."""

    def make(store: Database, **policy: object) -> Loop:
        loop = new_loop(store, **{**POLICY, **policy})
        loop.ask_for_batch()
        loop.run()
        loop.answer(1, mostly_right)
        loop.run()
        assert loop.failed == []
        return loop

    return make


@pytest.fixture
def loop(labelled: Callable[..., Loop], sqlite_database: Database) -> Loop:
    """The same on SQLite, its tasks in Label Studio project 7."""
    made = labelled(sqlite_database)
    with sqlite_database.transaction() as session:
        project = session.get(Project, made.project_id)
        assert project is not None
        project.label_studio_project_id = 7
        session.add(project)
    return made


@pytest.fixture
def services(loop: Loop) -> Services:
    """Of the loop, for the application of the tests."""
    loop.services.settings = loop.services.settings.model_copy(
        update={
            "session_secret": SecretStr("a session secret for the tests"),
            "label_studio_url": "http://label-studio.example",
        }
    )
    return loop.services
