"""A loop of one round that is answered, with the verdicts of its first champion.

It is made once, and each test has a copy of its own: making it takes ten seconds.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from backend.core.database import Database
from backend.core.security import CSRF_FIELD
from backend.core.services import Services
from backend.core.settings import Settings
from backend.projects.schemas import LoopPolicy
from tests.backend.scoring.conftest import POLICY, new_loop, services
from tests.backend.training.loop import Loop, SetClock, loop_over, make_loop

__all__ = ["new_loop", "services"]

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


PLACE = "/projects/1/records"


@pytest.fixture
def unjudged(new_loop: Callable[..., Loop], sqlite_database: Database) -> Services:
    """Of a project without a champion."""
    made = new_loop(sqlite_database).services
    secret = {"session_secret": SecretStr("a session secret for the tests")}
    made.settings = made.settings.model_copy(update=secret)
    return made


def told(page: str) -> str:
    """What somebody reads of it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def matching(browser: TestClient, query: str) -> int:
    """How many records the page says match."""
    found = re.search(r"([\d,]+) of [\d,]+ records? match", told(browser.get(query).text))
    assert found, query
    return int(found[1].replace(",", ""))


def token(page: str) -> str:
    """The token that the page's forms carry."""
    found = re.search(f'name="{CSRF_FIELD}" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def hidden(page: str, action: str) -> dict[str, list[str]]:
    """The hidden inputs of the form that leads there."""
    start = page.index(f'action="{action}"')
    form = page[start : page.index("</form>", start)]
    values: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form):
        values.setdefault(name, []).append(value.replace("&amp;", "&"))
    return values
