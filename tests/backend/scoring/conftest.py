"""A loop of one round that is answered, with the verdicts of its first champion."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from backend.core.database import Database
from backend.core.services import Services
from tests.backend.training.conftest import new_loop
from tests.backend.training.loop import Loop

__all__ = ["new_loop"]

POLICY = {"batch_size": 40, "audit_share": 0.2, "max_rounds": 1, "fine_tune_after": None}


@pytest.fixture
def judged(new_loop: Callable[..., Loop]) -> Callable[..., Loop]:
    """Makes a loop whose only round is answered and learnt, over any store."""

    def make(store: Database, **policy: object) -> Loop:
        loop = new_loop(store, **{**POLICY, **policy})
        loop.ask_for_batch()
        loop.run()
        loop.turn(1)
        assert loop.failed == []
        return loop

    return make


@pytest.fixture
def loop(judged: Callable[..., Loop], sqlite_database: Database) -> Loop:
    """The same on SQLite."""
    return judged(sqlite_database)


@pytest.fixture
def services(loop: Loop) -> Services:
    """Of the loop, for the application of the tests."""
    loop.services.settings = loop.services.settings.model_copy(
        update={"session_secret": SecretStr("a session secret for the tests")}
    )
    return loop.services
