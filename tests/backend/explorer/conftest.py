"""A loop of one round that is answered, with the verdicts of its first champion.

It is made once, and each test has a copy of its own: making it takes ten seconds.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.projects.schemas import LoopPolicy
from tests.backend.scoring.conftest import POLICY, services
from tests.backend.training.loop import Loop, SetClock, loop_over, make_loop

__all__ = ["services"]

STORE, DATA = "assay.sqlite", "data"
RECORDS = 90


def _services(folder: Path, clock: SetClock) -> Services:
    settings = Settings(data_dir=folder / DATA, encoder="characters", torch_threads=1)
    return Services(settings, Database(f"sqlite:///{folder / STORE}"), clock)


@pytest.fixture(scope="session")
def made_once(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Loop]:
    """A folder with store and data, and the loop as it was left."""
    folder = tmp_path_factory.mktemp("judged")
    shutil.copyfile(sqlite_template, folder / STORE)
    clock = SetClock()
    services = _services(folder, clock)
    loop = make_loop(services, clock, records=RECORDS, policy=LoopPolicy.model_validate(POLICY))
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    assert loop.failed == []
    services.database.dispose()
    return folder, loop


@pytest.fixture
def loop(made_once: tuple[Path, Loop], tmp_path: Path) -> Iterator[Loop]:
    """The test's own copy."""
    folder, made = made_once
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    clock = SetClock()
    clock.now = made.clock.now
    services = _services(tmp_path, clock)
    yield loop_over(services, clock, made.project_id)
    services.database.dispose()
