"""The numbers behind an acceptance: exact bounds, the tests of a threshold, and what is missing."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, betabinom, binom, hypergeom

from active_learning.exceptions import ShapeMismatch

DELTA = 0.10
"""Chance that a promise may be broken where nobody says otherwise; the default of the policy.
Chosen."""
GRID = 40
"""Thresholds that are tried, chosen: steps of 2.5 % of the pool. Their number costs no certainty,
as the tests end at the first that fails."""
FARTHEST = 10_000
"""Further calibration rows up to which the search for a sample that certifies looks ahead. Chosen:
nobody audits more."""


def error_upper_bound(errors: int, n: int, delta: float = DELTA) -> float:
    """One-sided Clopper-Pearson upper end: the true share is above it with chance at most delta."""
    return 1.0 if errors >= n else float(beta.ppf(1 - delta, errors + 1, n - errors))


def error_lower_bound(errors: int, n: int, delta: float = DELTA) -> float:
    """One-sided Clopper-Pearson lower end."""
    return 0.0 if errors == 0 else float(beta.ppf(delta, errors, n - errors + 1))


def rows_needed(target: float, delta: float = DELTA) -> int:
    """Rows without any error that certify the target: the least n with (1 - target)^n <= delta."""
    check_shares(target, delta)
    return int(np.ceil(np.log(delta) / np.log1p(-target) - 1e-12))


def delta_of_look(delta: float, look: int) -> float:
    """The part of ``delta`` that the look with this number, from 1 on, may spend.

    delta / (look (look + 1)): all parts together are delta, however many looks follow and however
    much their samples overlap (union bound).

    Raises:
        ShapeMismatch: the number is below 1.
    """
    if look < 1:
        raise ShapeMismatch(f"look is {look}; looks are numbered from 1.")
    return delta / (look * (look + 1))


def share_of_candidate(candidates: int) -> float:
    """The part of a look's error probability that each model has which it could be about.

    1 / candidates: all parts together are 1, so the promise holds whichever was chosen in sight of
    the sample (union bound). Giving the newest more of it accepts a sixth more in simulated loops,
    but breaks the promise twice as often as told where each challenger takes over what its champion
    was lucky with (``benchmarks.challengers``); equal parts stand that too.

    Raises:
        ShapeMismatch: there is no candidate.
    """
    if candidates < 1:
        raise ShapeMismatch(f"candidates is {candidates}; the chosen model is one of them.")
    return 1.0 / candidates


def threshold_grid(pool_confidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """(at most GRID,) distinct quantiles of the (m,) confidences of the pool, from high to low."""
    if len(pool_confidence) == 0:
        return np.zeros(0)
    shares = np.linspace(1.0, 0.0, GRID + 1)[1:]
    values: NDArray[np.float64] = np.unique(
        np.quantile(pool_confidence, shares, method="inverted_cdf")
    )[::-1]
    return values


def p_values(
    errors: int, rows: NDArray[np.intp], rest: NDArray[np.intp], target: float
) -> NDArray[np.float64]:
    """(k,) of the hypotheses that more than ``target`` of the ``rest`` pool records are wrong.

    ``rows`` and ``rest`` are (k,), a number of records for each threshold. The larger of the
    binomial and the exact hypergeometric value, where ``errors`` of ``rows`` calibration rows at
    or above each threshold are wrong.
    """
    least = np.minimum(np.floor(target * rest + 1e-9).astype(np.intp) + 1, rest)
    exact = hypergeom.cdf(errors, rest + rows, least + errors, rows)
    larger: NDArray[np.float64] = np.maximum(binom.cdf(errors, rows, target), exact)
    return larger


def able_places(
    rows: NDArray[np.intp], rest: NDArray[np.intp], target: float, delta: float
) -> NDArray[np.intp]:
    """(places,) of the (k,) thresholds that pass with one error; if none does, without one.

    A start that any error fails would end most sequences at once.
    """
    for allowed in (1, 0):
        enough = np.flatnonzero(rows > allowed)
        able = enough[p_values(allowed, rows[enough], rest[enough], target) <= delta]
        if len(able):
            break
    return able


def more_rows(
    sure: NDArray[np.float64],
    right: NDArray[np.bool_],
    pool: NDArray[np.float64],
    target: float,
    delta: float,
) -> int:
    """The fewest further rows with which the first test passes with even odds, else FARTHEST.

    ``sure`` and ``right`` are (n,), ``pool`` is (m,). New rows are spread over the thresholds as
    the pool is, and wrong as often as the rows so far tell: a beta-binomial forecast under the
    Jeffreys prior. That the pool is finite is neglected.
    """
    grid = threshold_grid(pool)
    needed = rows_needed(target, delta)
    if len(grid) == 0:
        return min(max(needed - len(sure), 1), FARTHEST)
    seen, rest = ((v >= grid[:, None]).sum(axis=1) for v in (sure, pool))
    wrong = (~right & (sure >= grid[:, None])).sum(axis=1)
    ahead = np.geomspace(1, FARTHEST, 400).astype(np.intp)[:-1]
    ahead = np.unique(np.append(ahead, np.clip(needed - len(sure), 1, FARTHEST - 1)))
    new = np.floor(ahead[:, None] * (rest / len(pool)) + 1e-9).astype(np.intp)
    rows = seen + new
    able = binom.cdf(1, rows, target) <= delta
    able = np.where(able.any(axis=1)[:, None], able, rows >= needed)
    start = able.argmax(axis=1)
    at = np.arange(len(ahead))
    total, errors = rows[at, start], wrong[start]
    # The most errors that pass: the quantile itself is the first count above delta.
    passing = binom.ppf(delta, total, target)
    passing -= binom.cdf(passing, total, target) > delta
    chance = betabinom.cdf(
        passing - errors, new[at, start], errors + 0.5, seen[start] - errors + 0.5
    )
    enough = np.flatnonzero(able.any(axis=1) & (chance >= 0.5))
    return int(ahead[enough[0]]) if len(enough) else FARTHEST


def check_shares(target: float, delta: float) -> None:
    """Both are shares between 0 and 1.

    Raises:
        ShapeMismatch: one is not.
    """
    if not (0.0 < target < 1.0 and 0.0 < delta < 1.0):
        raise ShapeMismatch(
            f"target is {target} and delta {delta}; both are shares between 0 and 1."
        )
