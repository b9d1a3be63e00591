"""The promise about machine labels in words."""

from backend.words import Message

HOW_TO_SET = Message(
    "To let machine labels count, let a lead set accept_error in the project's policy: the share "
    "of wrong ones that you tolerate, such as 0.05 (PATCH /api/v1/projects/ID/policy)."
)


def promise(target_error: float, delta: float, audits: int, unlabelled: int = 0) -> Message:
    """What is promised about machine labels, and from how many random audits.

    ``unlabelled``: of the audits, records that people gave no grade.
    """
    promised = Message.ngettext(
        "At most {wrong:.3g} % wrong, with {certain:.3g} % certainty, from {n:,} audit.",
        "At most {wrong:.3g} % wrong, with {certain:.3g} % certainty, from {n:,} audits.",
        n=audits,
        wrong=100 * target_error,
        certain=100 * (1 - delta),
    )
    if not unlabelled:
        return promised
    return Message(
        "{promise} {unlabelled}", promise=promised, unlabelled=unlabelled_audits(unlabelled)
    )


def unlabelled_audits(count: int) -> Message:
    """How audit records without a label count."""
    return Message.ngettext(
        "{n:,} of them has no agreed label (skipped, tied or ambiguous) and counts as wrong.",
        "{n:,} of them have no agreed label (skipped, tied or ambiguous) and count as wrong.",
        n=count,
    )


def stricter(target_error: float, delta: float) -> Message:
    """Why labels under a weaker promise are taken back."""
    return Message(
        "withdrawn: the policy asks for at most {wrong:.3g} % wrong with {certain:.3g} % certainty "
        "now",
        wrong=100 * target_error,
        certain=100 * (1 - delta),
    )


def waiting_reason(target_error: float | None) -> Message:
    """Why nothing was decided so far."""
    if target_error is None:
        return Message(
            "Every label is given by a person: the policy has no accept_error. {how_to_set}",
            how_to_set=HOW_TO_SET,
        )
    return Message(
        "Not decided yet: after the next retraining the champion is asked whether at most "
        "{wrong:.3g} % of its labels are wrong.",
        wrong=100 * target_error,
    )
