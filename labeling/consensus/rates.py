"""A share with its interval, and what to say where there is none."""

from dataclasses import dataclass

from scipy.stats import beta

from labeling.words import Words


@dataclass(frozen=True)
class Rate:
    """``right`` of ``of`` with the 95 % Clopper-Pearson interval; None without any case."""

    value: float | None
    low: float | None
    high: float | None
    right: int
    of: int
    why: Words | None = None


def rate(right: int, of: int, why: Words, level: float = 0.95) -> Rate:
    """The exact interval: it holds the true share in at least ``level`` of the cases.

    Clopper and Pearson, Biometrika 26, 1934. ``why`` is kept where ``of`` is 0.
    """
    if not of:
        return Rate(None, None, None, 0, 0, why)
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, right, of - right + 1)) if right else 0.0
    high = float(beta.ppf(1 - tail, right + 1, of - right)) if right < of else 1.0
    return Rate(right / of, low, high, right, of)
