from collections.abc import Callable
from pathlib import Path

import pytest

from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.projects.schemas import LoopPolicy
from tests.backend.training.loop import Loop, SetClock, make_loop

LoopFactory = Callable[..., Loop]


@pytest.fixture
def new_loop(tmp_path: Path) -> Callable[..., Loop]:
    """Makes a loop over a store, by default 90 records in batches of 24 with a third audited."""

    def make(
        store: Database, *, records: int = 90, encoder: str = "characters", **policy: object
    ) -> Loop:
        clock = SetClock()
        settings = Settings(data_dir=tmp_path / "data", encoder=encoder, torch_threads=1)
        services = Services(settings=settings, database=store, clock=clock)
        chosen = LoopPolicy.model_validate({"batch_size": 24, "audit_share": 0.34, **policy})
        return make_loop(services, clock, records=records, policy=chosen)

    return make


@pytest.fixture
def loop(new_loop: LoopFactory, sqlite_database: Database) -> Loop:
    """A loop whose first batch is out."""
    made = new_loop(sqlite_database)
    made.ask_for_batch()
    made.run()
    assert [batch.round for batch in made.batches] == [1]
    return made
