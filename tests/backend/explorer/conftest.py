"""A loop whose records are judged, some of them hostile."""

from collections.abc import Callable

import pytest

from backend.core.database import Database
from backend.core.services import Services
from backend.models import Project
from backend.projects.service import ProjectsService
from tests.backend.scoring.conftest import judged, loop, new_loop, services
from tests.backend.training.loop import Loop

__all__ = ["judged", "loop", "new_loop", "services"]


@pytest.fixture
def project(loop: Loop) -> Project:
    return loop.project()


@pytest.fixture
def unjudged(new_loop: Callable[..., Loop], sqlite_database: Database) -> Services:
    """Of a project that has no champion."""
    made = new_loop(sqlite_database)
    with made.services.database.reading() as session:
        ProjectsService(session, made.clock).get(made.project_id)
    return made.services
