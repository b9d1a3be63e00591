"""The two clients: ``Assay`` blocks, ``AsyncAssay`` is awaited. Both have the same operations."""

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import httpx

from assay_client.batches import Batches
from assay_client.datasets import Datasets
from assay_client.exceptions import SettingMissing
from assay_client.jobs import Jobs
from assay_client.labels import Labels
from assay_client.operation import Awaiting, Blocking, Call, Flow, Outcome, Pause
from assay_client.projects import Projects
from assay_client.scoring import Scoring
from assay_client.verdicts import Verdicts

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0
"""Chosen: the first piece of a large export may take as long."""
TRIES = 4
"""Of what changes nothing: with pauses of half a second, one and two, a restart is bridged."""
Verify = ssl.SSLContext | bool


class Assay(Scoring[Blocking]):
    """A connection to one Assay server. Close it, or use it in ``with``.

    Example::

        from assay_client import Assay

        with Assay("https://assay.example.org", api_key="assay_…") as assay:
            job = assay.datasets.add("shop", frame, id_column="sku", kind="product")
            assay.jobs.wait(job)
            project = assay.projects.create("Shop catalogue", "shop")
            assay.batches.request(project)
            frame = assay.labels.get(project).to_pandas()

    Args:
        url: where the pages are; None: the environment's ``ASSAY_URL``.
        api_key: None: the environment's ``ASSAY_API_KEY``.
        timeout: seconds for a connection and between two pieces of an answer.
        tries: how often a request that changes nothing is sent before it counts as failed.
        proxy: of the way to the server; None: no proxy, whatever the environment says.
        verify: False, or a context with your own authority, for TLS.
        language: of the server's sentences, such as ``zh``; None: English.
        transport: instead of the network, for tests.
        sleep: how pauses pass.

    Raises:
        SettingMissing: there is no URL or no key.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        tries: int = TRIES,
        proxy: str | None = None,
        verify: Verify = True,
        language: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(self)
        self.tries = max(1, tries)
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=_url(url),
            headers=_headers(api_key, language),
            timeout=timeout,
            proxy=proxy,
            verify=verify,
            trust_env=False,
            transport=transport,
        )
        self.datasets: Datasets[Blocking] = Datasets(self)
        self.projects: Projects[Blocking] = Projects(self)
        self.batches: Batches[Blocking] = Batches(self)
        self.labels: Labels[Blocking] = Labels(self)
        self.verdicts: Verdicts[Blocking] = Verdicts(self)
        self.jobs: Jobs[Blocking] = Jobs(self)

    def run(self, flow: Flow[T]) -> T:
        """What the flow returns."""
        try:
            step = next(flow)
            while True:
                step = flow.send(self._perform(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def close(self) -> None:
        """The connections are closed."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _perform(self, step: Call | Pause) -> Outcome:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        try:
            with self._http.stream(**_request(step)) as response:
                if step.save_to is None or not response.is_success:
                    response.read()
                else:
                    with _whole_file(step.save_to) as file:
                        for piece in response.iter_bytes():
                            file.write(piece)
        except httpx.HTTPError as error:
            return error
        return response


class AsyncAssay(Scoring[Awaiting]):
    """The same for ``async`` code: each operation is awaited.

    Example::

        async with AsyncAssay() as assay:
            for project in await assay.projects.list():
                print((await assay.labels.get(project)).to_pandas())

    Arguments and errors are those of ``Assay``.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        tries: int = TRIES,
        proxy: str | None = None,
        verify: Verify = True,
        language: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        super().__init__(self)
        self.tries = max(1, tries)
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=_url(url),
            headers=_headers(api_key, language),
            timeout=timeout,
            proxy=proxy,
            verify=verify,
            trust_env=False,
            transport=transport,
        )
        self.datasets: Datasets[Awaiting] = Datasets(self)
        self.projects: Projects[Awaiting] = Projects(self)
        self.batches: Batches[Awaiting] = Batches(self)
        self.labels: Labels[Awaiting] = Labels(self)
        self.verdicts: Verdicts[Awaiting] = Verdicts(self)
        self.jobs: Jobs[Awaiting] = Jobs(self)

    async def run_async(self, flow: Flow[T]) -> T:
        """What the flow returns."""
        try:
            step = next(flow)
            while True:
                step = flow.send(await self._perform(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def close(self) -> None:
        """The connections are closed."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def _perform(self, step: Call | Pause) -> Outcome:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        try:
            async with self._http.stream(**_request(step)) as response:
                if step.save_to is None or not response.is_success:
                    await response.aread()
                else:
                    with _whole_file(step.save_to) as file:
                        async for piece in response.aiter_bytes():
                            file.write(piece)
        except httpx.HTTPError as error:
            return error
        return response


def _url(given: str | None) -> str:
    return _setting(given, "ASSAY_URL", "url", "http://127.0.0.1:8000").rstrip("/")


def _headers(key: str | None, language: str | None) -> dict[str, str]:
    key = _setting(key, "ASSAY_API_KEY", "api_key", "assay_…")
    return {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
        "Accept-Language": language or "en",
    }


def _setting(given: str | None, name: str, argument: str, example: str) -> str:
    value = (given or os.environ.get(name, "")).strip()
    if not value:
        raise SettingMissing(
            f"There is no {argument}: pass {argument}={example!r}, or set {name} in the "
            "environment."
        )
    return value


def _request(call: Call) -> dict[str, Any]:
    params = {name: value for name, value in (call.params or {}).items() if value is not None}
    request: dict[str, Any] = {"method": call.method, "url": call.path, "params": params}
    if call.json is not None:
        request["json"] = call.json
    if call.data is not None:
        request["data"] = {name: value for name, value in call.data.items() if value is not None}
    if call.file is not None:
        request["files"] = {"file": call.file}
    return request


@contextmanager
def _whole_file(path: Path) -> Generator[IO[bytes], None, None]:
    """A file that is at ``path`` once all of it is written, and not before."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
