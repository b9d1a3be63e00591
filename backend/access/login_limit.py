"""How often a login may fail: a sliding window in the memory of the API process."""

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from backend.core.clock import Clock
from backend.core.exceptions import AppError
from backend.words import N_, Message

MAX_TRACKED = 10_000
"""Addresses. Chosen: bounds memory against somebody who tries many."""


class TooManyAttempts(AppError):
    """Too many logins failed; wait."""

    status_code = 429
    title = N_("Too many attempts")


class LoginLimit:
    """At most ``attempts`` failures per (e-mail address, client address) in ``window``,
    and ten times as many per client address over all e-mail addresses."""

    def __init__(
        self, clock: Clock, attempts: int = 5, window: timedelta = timedelta(minutes=5)
    ) -> None:
        self._clock = clock
        self._attempts = attempts
        self._window = window
        self._failures: dict[tuple[str, ...], deque[datetime]] = {}
        self._lock = Lock()

    def check(self, email: str, client: str) -> None:
        """Let one attempt through.

        Raises:
            TooManyAttempts: with the seconds to wait.
        """
        with self._lock:
            waits = [
                self._wait((email, client), self._attempts),
                self._wait((client,), 10 * self._attempts),
            ]
        if (wait := max(waits)) > timedelta():
            raise TooManyAttempts(
                Message("Too many failed logins."),
                field="email",
                remedy=Message.ngettext(
                    "Try again in {n} second.",
                    "Try again in {n} seconds.",
                    n=int(wait.total_seconds()) + 1,
                ),
            )

    def count_failure(self, email: str, client: str) -> None:
        """Count one failure."""
        with self._lock:
            if len(self._failures) >= MAX_TRACKED:
                self._forget_old()
            for name in ((email, client), (client,)):
                self._failures.setdefault(name, deque()).append(self._clock())

    def forget_failures(self, email: str, client: str) -> None:
        """Forget the failures of this person at this address."""
        with self._lock:
            self._failures.pop((email, client), None)

    def _wait(self, name: tuple[str, ...], allowed: int) -> timedelta:
        failures = self._failures.get(name, deque())
        now = self._clock()
        while failures and failures[0] <= now - self._window:
            failures.popleft()
        if len(failures) < allowed:
            return timedelta()
        return failures[0] + self._window - now

    def _forget_old(self) -> None:
        oldest = self._clock() - self._window
        for name in [name for name, times in self._failures.items() if times[-1] <= oldest]:
            del self._failures[name]
        # Under attack from very many addresses memory stays bounded; the oldest go first.
        while len(self._failures) >= MAX_TRACKED:
            del self._failures[next(iter(self._failures))]
