"""A loop after two rounds, all its versions measured, and the application over its store."""

import pytest
from pydantic import SecretStr

from backend.core.database import Database
from backend.core.services import Services
from tests.backend.training.conftest import LoopFactory, new_loop
from tests.backend.training.loop import Loop

__all__ = ["new_loop"]


@pytest.fixture
def loop(new_loop: LoopFactory, sqlite_database: Database) -> Loop:
    made = new_loop(sqlite_database)
    made.ask_for_batch()
    made.run()
    made.turn(1)
    made.turn(2)
    assert made.failed == []
    return made


@pytest.fixture
def services(loop: Loop) -> Services:
    """Of the loop, for the application of the tests."""
    loop.services.settings = loop.services.settings.model_copy(
        update={"session_secret": SecretStr("a session secret for the tests")}
    )
    return loop.services
