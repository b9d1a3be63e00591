"""A share that is told only where enough records stand behind it."""

from dataclasses import dataclass

from active_learning.evaluation import Estimate, wilson

FEWEST = 10
"""Records from which on a share is told. Chosen: its 95 % interval is then narrower than .53."""


@dataclass(frozen=True)
class Share:
    """A share of n records with its interval, or how many more records it needs."""

    n: int
    estimate: Estimate | None
    missing: int
    """Further records until it is told; 0 where it is."""


def share_of(successes: int, n: int, fewest: int = FEWEST) -> Share:
    """``successes`` of ``n``, told from ``fewest`` records on."""
    if n < fewest:
        return Share(n, None, fewest - n)
    return Share(n, wilson(successes, n), 0)
