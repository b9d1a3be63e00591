"""A project of twelve records, whose label schema has instructions in two languages."""

from collections.abc import Callable

import pytest

from backend.core.services import Services
from backend.models import Project
from tests.backend.annotations.conftest import Seeded, seeded
from tests.backend.review.conftest import Desk, new_desk

__all__ = ["new_desk", "seeded"]

ENGLISH = "Good: nothing is wrong."
CHINESE = "优良：没有问题。"


@pytest.fixture
def desk(new_desk: Callable[[Seeded], Desk], seeded: Seeded) -> Desk:
    made = new_desk(seeded)
    with made.services.database.transaction() as session:
        row = session.get(Project, made.project_id)
        assert row is not None
        row.label_schema = {
            **row.label_schema,
            "instructions_en": ENGLISH,
            "instructions_zh": CHINESE,
        }
        session.add(row)
    return made


@pytest.fixture
def services(desk: Desk) -> Services:
    """Of the desk, for the application of the tests."""
    return desk.services
