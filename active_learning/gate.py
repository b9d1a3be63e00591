"""The gate: does the challenger replace the champion?

Rule, on the random audit sample that neither model was trained on:

1. Without a champion the challenger is promoted; also where the champion cannot be read, which the
   reason says.
2. Without an audited record nothing is measured. The challenger is promoted if it has learnt from
   more labels than the champion, because labels only accumulate and the loop would else stand on
   its first model for ever; otherwise the champion stays. The reason says that it was not measured.
3. The champion stays if the challenger's accuracy is below it, that is if it is worse on more
   records than it is better.
4. The champion stays if the lower end of the 95 % interval of the paired difference is below minus
   the tolerance although the sample is large enough to tell: two models that are equally good and
   differ on a fifth of the records would pass. So this stops a challenger that answers much
   differently without being proven better.
5. Otherwise the challenger is promoted. On a smaller sample where a loss above the tolerance is
   still possible, the decision says so.

Demanding a significant gain would freeze the loop: a round adds tens of labels and gains a point
or two, which no audit sample of a few hundred can prove. Demanding no loss costs little, because
labels only accumulate. The same audit records judge many challengers, so the winner's accuracy is
slightly optimistic; what certifies machine labels on the same records corrects for the choice
(``acceptance.share_of_candidate``).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from active_learning.evaluation import Z95, compare
from active_learning.exceptions import ShapeMismatch
from active_learning.types import Reason

TOLERANCE = 0.05
"""Chosen, not measured: as small a loss as some hundreds of audited records can rule out."""
DISAGREEMENT = 0.2
"""Share of records on which two models may differ and still pass with equal accuracy; chosen, not
measured: a challenger that answers more than every fifth record otherwise has to prove itself."""


@dataclass(frozen=True)
class GateDecision:
    """Promote or not, why, and the numbers behind it (JSON-ready)."""

    promote: bool
    reason: Reason
    evidence: dict[str, Any]


def decide(
    truth: Sequence[str],
    challenger: Sequence[str],
    champion: Sequence[str] | None,
    *,
    tolerance: float = TOLERANCE,
    new_labels: int = 0,
    unreadable: str | None = None,
) -> GateDecision:
    """The decision for these answers on the audit sample.

    Args:
        truth: n audited labels.
        challenger: n answers of the challenger.
        champion: n answers of the champion; None where there is none, or none that can be read.
        tolerance: loss of accuracy that a large sample has to rule out; above zero.
        new_labels: by which the challenger has learnt from more labels than the champion; decides
            where there is no audited record.
        unreadable: name of the champion that cannot be read any more.

    Raises:
        ShapeMismatch: the answers are not of the same records, or the tolerance is not above zero.
    """
    if not tolerance > 0:
        raise ShapeMismatch(f"tolerance is {tolerance}; give a share above zero.")
    if champion is None and unreadable is not None:
        return GateDecision(
            True,
            Reason(
                "replaced: champion {champion} could not be read, so there is nothing to compare "
                "with",
                champion=unreadable,
            ),
            {"rule": "unreadable champion", "champion": unreadable, "n": len(truth)},
        )
    if champion is None:
        return GateDecision(
            True,
            Reason("first model: there is no champion to beat"),
            {"rule": "first", "n": len(truth)},
        )
    if len(truth) == 0:
        return _decision_without_audit(new_labels)
    found = compare(truth, challenger, champion)
    evidence = {"rule": "paired", "tolerance": tolerance, **asdict(found)}
    gap = found.difference
    compared = Reason.ngettext(
        "{challenger:.1f} % right beside {champion:.1f} % of the champion on the same {n:,} "
        "audited record: {gap:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}; {wins} "
        "better, {losses} worse)",
        "{challenger:.1f} % right beside {champion:.1f} % of the champion on the same {n:,} "
        "audited records: {gap:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}; {wins} "
        "better, {losses} worse)",
        n=found.n,
        challenger=100 * found.challenger.value,
        champion=100 * found.champion.value,
        gap=100 * gap.value,
        low=100 * gap.low,
        high=100 * gap.high,
        wins=found.wins,
        losses=found.losses,
    )
    is_proven, is_large = gap.low >= -tolerance, found.n >= rows_to_tell(tolerance)
    evidence |= {"is_small_sample": not is_proven and not is_large, "is_loss_ruled_out": is_proven}
    if gap.value < 0:
        reason = Reason("kept: {compared}", compared=compared)
    elif is_large and not is_proven:
        reason = Reason(
            "kept: {compared}; a loss of more than {points:g} points is possible",
            compared=compared,
            points=100 * tolerance,
        )
    elif is_proven:
        reason = Reason("promoted: {compared}", compared=compared)
    else:
        reason = Reason("promoted: {compared}; the sample is still small", compared=compared)
    is_kept = gap.value < 0 or (is_large and not is_proven)
    return GateDecision(not is_kept, reason, evidence)


def _decision_without_audit(new_labels: int) -> GateDecision:
    """The decision where there is no audited record."""
    evidence = {"rule": "not measured", "n": 0, "new_labels": new_labels}
    if new_labels > 0:
        return GateDecision(
            True,
            Reason.ngettext(
                "promoted, not measured: there is no audited record to compare on; it has learnt "
                "from {n:,} more label",
                "promoted, not measured: there is no audited record to compare on; it has learnt "
                "from {n:,} more labels",
                n=new_labels,
            ),
            evidence,
        )
    return GateDecision(
        False,
        Reason(
            "kept, not measured: there is no audited record to compare on, and the challenger "
            "has not learnt from more labels"
        ),
        evidence,
    )


def rows_to_tell(tolerance: float) -> int:
    """Audited records from which on a loss above the tolerance must be ruled out.

    There the interval of two equally good models that differ on ``DISAGREEMENT`` of the records
    reaches down to minus the tolerance: 308 for 5 points.
    """
    return ceil(DISAGREEMENT * (Z95 / tolerance) ** 2)
