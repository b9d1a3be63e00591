"""Runs the outbox in the calling thread: for tests and for programs without a worker."""

from dataclasses import dataclass
from datetime import timedelta

from backend.core.clock import Clock
from backend.core.database import Database
from backend.jobs.execution import LONGEST_WAIT, claim, execute, record
from backend.jobs.registry import Registry
from backend.jobs.repository import JobRepository

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
            now = self.clock() + (timedelta(days=1) if skip_waiting_time else timedelta())
            with self.database.reading() as session:
                due = JobRepository(session).to_hand_over(now, limit, longest_wait=LONGEST_WAIT)
            due = [job for job in due if job[0] not in waited]
            if not due:
                break
            job_id, _name, generation = due[0]
            attempts += 1
            if self.run(job_id, generation) == "waiting":
                waited.add(job_id)
        return attempts

    def run(self, job_id: str, generation: int) -> str | None:
        """Run one generation of one job; the outcome's status, None if it was not valid."""
        job = claim(self.database, self.clock, job_id, generation, INLINE_WORKER)
        if job is None:
            return None
        outcome = execute(self.database, self.clock, self.registry, job)
        record(self.database, self.clock, job_id, generation, outcome)
        return outcome.status
