"""Runs the outbox in the calling thread: for tests and for programs without a worker."""

import time
from dataclasses import dataclass
from datetime import timedelta

from backend.core.clock import Clock
from backend.core.database import Database
from backend.jobs.execution import claim, execute, record_in_the_end
from backend.jobs.registry import Registry
from backend.jobs.repository import Names

INLINE_WORKER = "inline"


@dataclass(frozen=True)
class InlineRunner:
    """Runs queued jobs one after the other, with the engine's semantics."""

    database: Database
    registry: Registry
    clock: Clock

    def run_pending(self, *, limit: int = 1000, skip_waiting_time: bool = False) -> int:
        """Run jobs, also those they enqueue, until none is due; the number of attempts.

        ``skip_waiting_time`` runs waiting jobs once each without waiting for their time.
        """
        attempts = 0
        waited: set[str] = set()
        while attempts < limit:
            claimed = claim(
                self.database,
                self.clock,
                Names(),
                INLINE_WORKER,
                1,
                apart_from=waited,
                ahead=timedelta(days=1) if skip_waiting_time else timedelta(),
                on_failure=self.registry.on_failure,
            )
            if not claimed:
                break
            attempts += 1
            outcome = execute(self.database, self.clock, self.registry, claimed[0])
            record_in_the_end(
                self.database,
                self.clock,
                claimed[0].id,
                outcome,
                time.sleep,
                self.registry.on_failure,
            )
            if outcome.status == "waiting":
                waited.add(claimed[0].id)
        return attempts
