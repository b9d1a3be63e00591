"""The client against the real application: blocking over a port, awaiting over ASGI."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI

from assay_client import Assay, AsyncAssay
from backend.access.service import AccessService
from backend.bootstrap import build_registry
from backend.core.services import Services
from backend.jobs.inline import InlineRunner
from tests.backend.conftest import app, cheap_passwords, services
from tests.fixtures.live_app import live

__all__ = ["app", "cheap_passwords", "services"]

KeyOf = Callable[[str], str]
AwaitingAs = Callable[[str], AsyncAssay]


@pytest.fixture
def key_of(services: Services) -> KeyOf:
    """An API key with the role."""

    def make(role: str) -> str:
        with services.database.transaction() as session:
            return AccessService(session, services.clock).create_key(role, role, actor="test").key

    return make


@pytest.fixture
def work(services: Services) -> Callable[[float], object]:
    """In place of a pause: a worker does what is queued."""
    runner = InlineRunner(services.database, build_registry(services), services.clock)
    return lambda _seconds: runner.run_pending()


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    with live(services) as url:
        yield url


@pytest.fixture
def assay(address: str, key_of: KeyOf, work: Callable[[float], object]) -> Iterator[Assay]:
    """An engineer's client."""
    with Assay(address, key_of("engineer"), sleep=work) as client:
        yield client


@pytest.fixture
def awaiting_as(app: FastAPI, key_of: KeyOf, work: Callable[[float], object]) -> AwaitingAs:
    """An awaiting client with the role's key."""

    async def sleep(seconds: float) -> None:
        work(seconds)

    def make(role: str) -> AsyncAssay:
        transport = httpx.ASGITransport(app)
        return AsyncAssay("http://assay.test", key_of(role), transport=transport, sleep=sleep)

    return make
