"""Which function runs a job, and in which queue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlmodel import Session

from backend.jobs.context import JobContext
from backend.jobs.repository import Names
from backend.models import Job

OnFailure = Callable[[Session, Job], None]
"""Is called in the transaction in which a job fails."""
Handler = Callable[[JobContext, dict[str, Any]], dict[str, Any] | None]
QueueClass = Literal["light", "heavy", "background"]


@dataclass(frozen=True)
class JobKind:
    """How jobs of one name are run."""

    name: str
    handler: Handler
    queue: QueueClass
    is_routine: bool
    """Done rows of routine kinds are purged after a day, others after the retention."""


def tell_nobody(_session: Session, _job: Job) -> None:
    """Nobody wants to know that a job has failed."""


class Registry:
    """Every kind of job that a worker can run.

    ``heavy`` kinds (training, imports) have a queue of their own, so that they never make
    ``light`` ones (push, sync, webhook events) wait. ``background`` kinds (fine-tuning) take an
    hour and hold up neither.
    """

    def __init__(self, *, on_failure: OnFailure = tell_nobody) -> None:
        self.on_failure = on_failure
        self._kinds: dict[str, JobKind] = {}

    def add(
        self, name: str, handler: Handler, *, queue: QueueClass = "light", is_routine: bool = False
    ) -> None:
        """Jobs called ``name`` are run by ``handler``.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._kinds:
            raise ValueError(f"job name {name!r} has two handlers; rename one of them")
        self._kinds[name] = JobKind(name, handler, queue, is_routine)

    def add_all(
        self,
        handlers: Mapping[str, Handler],
        *,
        queue: QueueClass = "light",
        is_routine: bool = False,
    ) -> None:
        """Several at once, as a room's ``jobs.handlers(services)`` gives them."""
        for name, handler in handlers.items():
            self.add(name, handler, queue=queue, is_routine=is_routine)

    def get(self, name: str) -> JobKind | None:
        """The kind called ``name``, or None."""
        return self._kinds.get(name)

    def names_in(self, queue: QueueClass) -> Names:
        """The names of that queue's jobs; unknown names are light, they fail at once."""
        if queue == "light":
            return Names(frozenset(k.name for k in self._kinds.values() if k.queue != "light"))
        named = frozenset(kind.name for kind in self._kinds.values() if kind.queue == queue)
        return Names(named, is_all_but=False)

    def queue_of(self, name: str) -> QueueClass:
        """The queue of that name's jobs."""
        kind = self._kinds.get(name)
        return kind.queue if kind else "light"

    @property
    def names(self) -> frozenset[str]:
        """Every name registered."""
        return frozenset(self._kinds)

    @property
    def routine_names(self) -> frozenset[str]:
        """Names whose done rows are purged early."""
        return frozenset(kind.name for kind in self._kinds.values() if kind.is_routine)
