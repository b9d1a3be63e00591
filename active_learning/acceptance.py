"""Which records the model may label alone, with a promise about their errors.

Learn-then-test (Angelopoulos et al. 2021, Bates et al. 2021) with fixed-sequence testing:
thresholds are fixed before any correctness is seen and tested from high to low confidence until
one fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.acceptance_bounds import (
    DELTA,
    FARTHEST,
    able_places,
    check_shares,
    delta_of_look,
    error_lower_bound,
    error_upper_bound,
    more_rows,
    p_values,
    rows_needed,
    share_of_candidate,
    threshold_grid,
)
from active_learning.evaluation import Estimate, wilson
from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.types import Positions, Reason

__all__ = [
    "DELTA",
    "FARTHEST",
    "AcceptRule",
    "AcceptedRecords",
    "AuditBreach",
    "audit_breach",
    "certify",
    "choose_accepted",
    "delta_of_look",
    "error_lower_bound",
    "error_upper_bound",
    "rows_needed",
    "share_of_candidate",
    "threshold_grid",
]

FIRST_CHECK = 5
"""Audits of accepted records before the first test of a breach. Chosen: among so few no single
error contradicts a target of 5 %, two do."""


@dataclass(frozen=True)
class AcceptRule:
    """The certified threshold, or why there is none."""

    threshold: float | None
    reason: Reason
    accepted_share: Estimate
    """Of the calibration rows: at or above the threshold."""
    error_bound: float | None
    """Clopper-Pearson upper end of the error among accepted records, at level 1 - delta."""
    calibration_rows: int
    more_rows_needed: int
    """Further random audit labels with which a threshold passes with even odds; 0 if certified.

    If errors go on as they were seen. ``FARTHEST`` where no sample of so many rows would do: the
    model is not accurate enough for the target, and ``is_out_of_reach`` is True.
    """

    @property
    def is_out_of_reach(self) -> bool:
        """No affordable audit sample certifies the target at this accuracy."""
        return self.threshold is None and self.more_rows_needed >= FARTHEST


@dataclass(frozen=True)
class AcceptedRecords:
    """Positions in the pool; ``audited`` is a random part of ``accepted``."""

    accepted: Positions
    audited: Positions


@dataclass(frozen=True)
class AuditBreach:
    """Whether audits of accepted records contradict the promise."""

    is_breached: bool
    errors: int
    audits: int
    error_at_least: float
    """Clopper-Pearson lower end at the check that decided, else at the last check."""
    reason: Reason


def certify(
    confidence: NDArray[np.float64],
    correct: NDArray[np.bool_],
    pool_confidence: NDArray[np.float64],
    *,
    target: float,
    delta: float = DELTA,
    look: int | None = None,
    share: float = 1.0,
) -> AcceptRule:
    """The lowest threshold at which the error among accepted records is certified.

    With probability at least 1 - delta over the draw of the calibration rows, either no threshold
    is given or the share of wrong labels among the pool records at or above it is at most
    ``target``. Each test is the larger of the binomial (Clopper-Pearson) p-value and the exact
    hypergeometric one for the finite pool. The sequence starts where enough calibration rows lie
    above the threshold to pass with one error (or, if there are too few, with none); that looks
    at confidences alone, so the promise holds.

    That is the promise of one call. Asked again on a growing sample, or for the next model on the
    same sample, the chances of failing add up: give ``look``, and the chance that any of the calls
    ever breaks its promise is at most delta (see ``delta_of_look``).

    A model that was chosen because it did well on these very rows looks better on them than it is.
    Give its ``share_of_candidate`` as ``share``, and the promise holds whichever of the candidates
    was chosen, by a gate or by a person who saw their accuracies. The bound takes the candidates
    as given: that an earlier choice decided which records the next one learnt from is not counted.

    Args:
        confidence: (n,) of records drawn at random and seen by no training: the audit sample.
        correct: (n,) whether the model was right on them.
        pool_confidence: (m,) of the records to be accepted or not, none of them audited.
        target: greatest share of errors among the accepted, between 0 and 1.
        delta: chance that the promise may fail; of all looks together where ``look`` is given.
        look: which call on this audit sample it is, from 1 on; None if it is the only one, or if
            the caller has divided delta.
        share: part of delta that is this model's, where it was chosen in sight of the rows.

    Raises:
        ShapeMismatch: arrays of different lengths, a value that is no number, a share
            outside 0 to 1, or a look below 1.
    """
    check_shares(target, delta)
    sure, right, pool = (
        np.asarray(confidence, float),
        np.asarray(correct, bool),
        np.asarray(pool_confidence, float),
    )
    if sure.ndim != 1 or sure.shape != right.shape or pool.ndim != 1:
        raise ShapeMismatch(f"{sure.shape} confidences do not fit {right.shape} answers.")
    if not (np.isfinite(sure).all() and np.isfinite(pool).all()):
        raise ShapeMismatch("A confidence is not a number; predict these records again.")
    if not 0.0 < share <= 1.0:
        raise ShapeMismatch(f"share is {share}; give a part of delta above 0, at most 1.")
    coming = share * (delta if look is None else delta_of_look(delta, look + 1))
    delta = share * (delta if look is None else delta_of_look(delta, look))
    n = len(sure)
    found: float | None = None
    bound: float | None = None
    tests = _testable(sure, pool, target, delta)
    for threshold, rows, rest in tests:
        errors = int((~right[sure >= threshold]).sum())
        if p_values(errors, np.array([rows]), np.array([rest]), target)[0] > delta:
            break
        found, bound = threshold, error_upper_bound(errors, rows, delta)
    accepted = 0 if found is None else int((sure >= found).sum())
    accepted_share = wilson(accepted, n) if n else Estimate(0.0, 0.0, 1.0, 0)
    more = 0 if found is not None else more_rows(sure, right, pool, target, coming)
    reason = _reason(found, bound, accepted_share, target, delta, n, more, len(tests))
    return AcceptRule(found, reason, accepted_share, bound, n, more)


def choose_accepted(
    pool_confidence: NDArray[np.float64], rule: AcceptRule, *, audit_share: float, seed: int
) -> AcceptedRecords:
    """The pool records that the rule accepts, and a seeded random share of them to be audited.

    ``pool_confidence`` is (n,), in pool order.

    At least one accepted record is audited if there is one and the share is above zero.

    Raises:
        ShapeMismatch: the share is outside 0 to 1.
    """
    if not 0.0 <= audit_share <= 1.0:
        raise ShapeMismatch(f"audit_share is {audit_share}; give a share from 0 to 1.")
    if rule.threshold is None:
        nothing = np.zeros(0, np.intp)
        return AcceptedRecords(nothing, nothing)
    accepted = np.flatnonzero(np.asarray(pool_confidence, float) >= rule.threshold)
    size = int(np.ceil(audit_share * len(accepted)))
    drawn = np.random.default_rng(seed).choice(accepted, size, replace=False)
    return AcceptedRecords(accepted, np.sort(drawn))


def audit_breach(correct: Sequence[bool], *, target: float, delta: float = DELTA) -> AuditBreach:
    """Whether audits, in the order in which they came, show more errors than promised.

    Clopper-Pearson lower ends at 5, 8, 12, 18 ... audits; check j spends delta / (j (j + 1)), so a
    kept promise is withdrawn with chance at most delta however long one watches. Once breached it
    stays breached.

    Raises:
        NoLabels: there is no audit.
    """
    check_shares(target, delta)
    if len(correct) == 0:
        raise NoLabels("No accepted record was audited yet.")
    wrong = np.cumsum(~np.asarray(correct, bool))
    size, number, low, seen = FIRST_CHECK, 1, 0.0, len(correct)
    while size <= len(correct):
        low = error_lower_bound(int(wrong[size - 1]), size, delta / (number * (number + 1)))
        if low > target:
            seen = size
            break
        size, number = int(np.ceil(1.5 * size)), number + 1
    broken = low > target
    errors = int(wrong[seen - 1])
    counted = Reason.ngettext(
        "{wrong} of {n} audited accepted record is wrong",
        "{wrong} of {n} audited accepted records are wrong",
        n=seen,
        wrong=errors,
    )
    reason = (
        Reason(
            "withdrawn: {counted}, so the error is above the promised {target:.1%}",
            counted=counted,
            target=target,
        )
        if broken
        else Reason(
            "kept: {counted}, which does not contradict {target:.1%}",
            counted=counted,
            target=target,
        )
    )
    return AuditBreach(broken, errors, seen, low, reason)


def _testable(
    sure: NDArray[np.float64], pool: NDArray[np.float64], target: float, delta: float
) -> list[tuple[float, int, int]]:
    """(threshold, calibration rows, pool records) in the order of the tests; counts alone."""
    grid = threshold_grid(pool)
    rows, rest = ((v >= grid[:, None]).sum(axis=1).astype(np.intp) for v in (sure, pool))
    able = able_places(rows, rest, target, delta)
    return [(float(grid[i]), int(rows[i]), int(rest[i])) for i in able]


def _reason(
    found: float | None,
    bound: float | None,
    share: Estimate,
    target: float,
    delta: float,
    n: int,
    more: int,
    tested: int,
) -> Reason:
    if found is not None and bound is not None:
        return Reason(
            "confidence of {threshold:.3f} or more is accepted: {share:.0%} of records "
            "({low:.0%} to {high:.0%}), error at most {bound:.2%} with {certainty:.0%} certainty",
            threshold=found,
            share=share.value,
            low=share.low,
            high=share.high,
            bound=bound,
            certainty=1 - delta,
        )
    ahead = (
        Reason(
            "it cannot be certified at this accuracy, not with {labels:,} more audit labels "
            "either; a better model or a higher target is needed",
            labels=FARTHEST,
        )
        if more >= FARTHEST
        else Reason.ngettext(
            "with about {n:,} more audit label the odds are even, if errors stay as they are",
            "with about {n:,} more audit labels the odds are even, if errors stay as they are",
            n=more,
        )
    )
    if tested == 0:
        return Reason(
            "certifying {target:.1%} needs at least {needed:,} calibration rows above a "
            "threshold; there are {rows:,} in all; {ahead}",
            target=target,
            needed=rows_needed(target, delta),
            rows=n,
            ahead=ahead,
        )
    return Reason(
        "none accepted: already the most confident of {rows:,} calibration rows hold too many "
        "errors to certify {target:.1%}; {ahead}",
        rows=n,
        target=target,
        ahead=ahead,
    )
