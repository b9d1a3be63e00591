"""Every operation answers as the OpenAPI document says, whoever asks and whatever is sent."""

import logging
import shutil
from pathlib import Path

import pytest

from backend.app import create_app
from backend.core.security import KEY_ROLES
from tests.backend.api.conformance import EXAMPLES, faults
from tests.backend.api.store import fill_store, open_store

FEW = 3
NOBODY = "nobody"


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Path, dict[str, str]]:
    """A folder with a filled store, and a key of each role."""
    folder = tmp_path_factory.mktemp("filled")
    services = open_store(folder)
    shutil.copyfile(sqlite_template, str(services.database.engine.url.database))
    keys = fill_store(services)
    services.database.dispose()
    return folder, keys


def _check(folder: Path, filled: tuple[Path, dict[str, str]], role: str, phase: str, examples: int) -> None:
    source, keys = filled
    shutil.copytree(source, folder, dirs_exist_ok=True)
    services = open_store(folder)
    logging.disable(logging.CRITICAL)
    try:
        found = faults(create_app(services), phase, key=keys.get(role), examples=examples)
    finally:
        logging.disable(logging.NOTSET)
        services.database.dispose()
    assert not found, "\n\n".join(map(str, found))


def test_the_edges_of_every_schema(filled, tmp_path: Path) -> None:
    _check(tmp_path, filled, "admin", "coverage", 1)


def test_every_example(filled, tmp_path: Path) -> None:
    _check(tmp_path, filled, "admin", "examples", 1)


@pytest.mark.parametrize("role", [NOBODY, *KEY_ROLES])
def test_random_requests(filled, tmp_path: Path, role: str) -> None:
    _check(tmp_path, filled, role, "fuzzing", EXAMPLES or FEW)
