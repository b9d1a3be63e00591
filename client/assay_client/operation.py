"""Each operation is written once, as a flow; a blocking and an awaiting client both run it.

A flow is a generator: it yields a ``Call`` or a ``Pause`` and is sent what came of it. So it
says what is sent, in which order and what an answer means, and nothing of how one waits.
"""

import functools
import inspect
import random
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

import httpx

from assay_client.exceptions import Unreachable, problem_of, retry_after

SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Nothing changes by them, so they may be sent again."""
WORTH_ANOTHER_TRY = frozenset({429, 502, 503, 504})
"""Statuses that pass by themselves."""
FIRST_PAUSE_SECONDS = 0.5
"""Doubled at each try where the server does not say ``Retry-After``."""
LONGEST_PAUSE_SECONDS = 60.0
"""A server that asks for more is not waited for."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, and where its answer's body goes: into memory or a file."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    json: Any = None
    data: Mapping[str, Any] | None = None
    file: tuple[str, IO[bytes]] | None = None
    save_to: Path | None = None


@dataclass(frozen=True)
class Pause:
    """So many seconds pass."""

    seconds: float


T = TypeVar("T")
P = ParamSpec("P")
Outcome = httpx.Response | httpx.HTTPError | None
Flow = Generator[Call | Pause, Outcome, T]


def fetch(call: Call, tries: int) -> Flow[httpx.Response]:
    """The successful answer to ``call``; a safe one is tried up to ``tries`` times.

    Raises:
        Problem: the server refused; a class of it for each kind.
        Unreachable: no answer came.
    """
    left = tries if call.method in SAFE_METHODS else 1
    pause = FIRST_PAUSE_SECONDS
    while True:
        left -= 1
        outcome = yield call
        wait = pause * random.uniform(0.5, 1.0)  # so that many do not come back at once
        if isinstance(outcome, httpx.Response):
            if outcome.is_success:
                return outcome
            wait = retry_after(outcome) or wait
            passes = outcome.status_code in WORTH_ANOTHER_TRY and wait <= LONGEST_PAUSE_SECONDS
            if not left or not passes:
                raise problem_of(outcome)
        elif not left:
            raise Unreachable(f"{call.method} {call.path}: {outcome!r}") from outcome
        yield Pause(wait)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def pause(seconds: float) -> Flow[None]:
    """So many seconds have passed."""
    yield Pause(seconds)


class Blocking:
    """Operations return their results."""


class Awaiting:
    """Operations are awaited."""


Way = TypeVar("Way", bound="Blocking | Awaiting")


class BlockingRunner(Protocol):
    """Runs a flow in the calling thread."""

    tries: int

    def run(self, flow: Flow[T]) -> T:
        """What the flow returns."""
        ...


class AwaitingRunner(Protocol):
    """Runs a flow in the running event loop."""

    tries: int

    async def run_async(self, flow: Flow[T]) -> T:
        """What the flow returns."""
        ...


class Room(Generic[Way]):
    """Operations on one kind of thing, over a client that runs them."""

    def __init__(self, runner: BlockingRunner | AwaitingRunner) -> None:
        self._runner = runner

    def _fetch(self, method: str, path: str, **parts: Any) -> Flow[httpx.Response]:
        return fetch(Call(method=method, path=path, **parts), self._runner.tries)


RoomT = TypeVar("RoomT", bound=Room[Any])


class operation(Generic[RoomT, P, T]):
    """A method written as a flow: it returns its result on a blocking client, a coroutine on an
    awaiting one."""

    def __init__(self, flow: Callable[Concatenate[RoomT, P], Flow[T]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, room: None, owner: object) -> Self: ...
    @overload
    def __get__(self, room: Room[Blocking], owner: object) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, room: Room[Awaiting], owner: object
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, room: Any, owner: object) -> Any:
        if room is None:
            return self
        runner, flow = room._runner, self._flow

        def blocking(*args: P.args, **kwargs: P.kwargs) -> T:
            result: T = runner.run(flow(room, *args, **kwargs))
            return result

        async def awaiting(*args: P.args, **kwargs: P.kwargs) -> T:
            result: T = await runner.run_async(flow(room, *args, **kwargs))
            return result

        bound: Any = blocking if hasattr(runner, "run") else awaiting
        functools.update_wrapper(bound, flow)
        signature = inspect.signature(flow)
        bound.__signature__ = signature.replace(parameters=[*signature.parameters.values()][1:])
        return bound
