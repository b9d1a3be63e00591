from collections.abc import Iterator

import pytest
from sqlmodel import Session

from tests.backend.annotations.conftest import Seeded, seeded
from tests.backend.loop.store import Store

__all__ = ["seeded", "store"]


@pytest.fixture
def store(seeded: Seeded) -> Iterator[Store]:
    with Session(seeded.database.engine, expire_on_commit=False) as session:
        yield Store(seeded, session)
