"""A loop whose records are judged, and one where nobody judges yet."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from backend.core.database import Database
from backend.core.security import CSRF_FIELD
from backend.core.services import Services
from tests.backend.scoring.conftest import judged, loop, new_loop, services
from tests.backend.training.loop import Loop

__all__ = ["judged", "loop", "new_loop", "services"]

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
