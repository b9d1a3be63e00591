"""Leases: the right to do one thing alone, across worker processes.

A lease is a row with an expiry. Its holder renews it; whoever finds it expired may take it.
The holder is a job and its attempt: a job that is run again after a crash takes its own
lease back at once, and the dead attempt can't renew it any more.
"""

from datetime import datetime, timedelta
from threading import Lock

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.database import Database
from backend.jobs.exceptions import LeaseHeld
from backend.jobs.lease_repository import LeaseRepository
from backend.words import Message


def holder_name(job_id: str, attempt: int) -> str:
    """What the row's ``holder`` says for this attempt of the job."""
    return f"{job_id}#{attempt}"


class HeldLeases:
    """The leases that one attempt of a job holds; ``renew`` is called regularly."""

    def __init__(
        self, database: Database, clock: Clock, *, job_id: str, attempt: int, ttl: timedelta
    ) -> None:
        self._database = database
        self._clock = clock
        self._job_id = job_id
        self._holder = holder_name(job_id, attempt)
        self._ttl = ttl
        self._expiries: dict[str, datetime] = {}
        self._lock = Lock()

    def acquire(self, name: str) -> None:
        """The lease ``name`` is ours until released, or lost because it was not renewed.

        Raises:
            LeaseHeld: another job holds it.
        """
        now = self._clock()
        expires_at = now + self._ttl
        with self._lock:
            with self._database.unguarded_transaction() as session:
                repository = LeaseRepository(session)
                taken = repository.acquire(
                    name,
                    holder=self._holder,
                    earlier_holders=f"{self._job_id}#",
                    now=now,
                    expires_at=expires_at,
                    longest=self._ttl,
                )
                other = None if taken else repository.holder_of(name)
            if not taken:
                raise LeaseHeld(
                    Message(
                        "The lease {name!r} is held by job {other}.",
                        name=name,
                        other=other or "another",
                    ),
                    field="lease",
                    value=name,
                    remedy=Message("The job starts by itself when that one has ended."),
                )
            self._expiries[name] = expires_at

    def release(self, name: str) -> None:
        """The lease is free for others, if it was still ours."""
        with self._lock:
            self._expiries.pop(name, None)
            with self._database.unguarded_transaction() as session:
                LeaseRepository(session).release(name, self._holder)

    def renew_when_due(self) -> None:
        """Every lease that has used up a third of its time gets its full time again.

        One with more than its full time left gets its full time, too: the clock was set back,
        and others would not believe it.
        """
        now = self._clock()
        with self._lock:
            due = [
                name
                for name, expires_at in self._expiries.items()
                if now < expires_at < now + self._ttl * 2 / 3 or expires_at > now + self._ttl
            ]
            if not due:
                return
            with self._database.unguarded_transaction() as session:
                repository = LeaseRepository(session)
                renewed = {
                    name: repository.renew(name, self._holder, now + self._ttl) for name in due
                }
            for name, is_ours in renewed.items():
                # A lease that someone took keeps its old expiry here: it counts as lost.
                self._expiries[name] = now + self._ttl if is_ours else now

    def lock_if_ours(self, session: Session) -> bool:
        """True if nobody has taken a lease of ours; it stays so until the transaction ends."""
        return LeaseRepository(session).lock_if_held(list(self._expiries), self._holder)

    @property
    def all_ours(self) -> bool:
        """False once a lease has expired or was taken over."""
        now = self._clock()
        return all(expires_at > now for expires_at in list(self._expiries.values()))
