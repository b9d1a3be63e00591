"""What the pages of the review desk call states, reasons, actions and what was done."""

from backend.words import N_, Message

STATES = {
    "open": N_("Open"),
    "sent_back": N_("Sent back"),
    "ambiguous": N_("Ambiguous"),
    "decided": N_("Decided"),
    "settled": N_("Settled"),
}
REASON_NAMES = {
    "tie": N_("Tie"),
    "low_confidence": N_("Low confidence"),
    "model_conflict": N_("Classifier disagrees"),
    "suspected_error": N_("Suspected error"),
    "record_changed": N_("Record changed"),
    "withdrawn_label": N_("Label not in the schema"),
    "answers_deleted": N_("Answers deleted"),
    "chosen": N_("Sent to the desk"),
    "issue:": N_("Issues differ"),
    "field:": N_("Marked fields differ"),
}
BULK_NAMES = {
    "accept_consensus": N_("Accept the consensus"),
    "accept_model": N_("Accept the classifier's answer"),
    "send_back": N_("Ask one more annotator"),
    "ambiguous": N_("Mark as genuinely ambiguous"),
}
ACTION_NAMES = {
    "decide": N_("Decided"),
    "ambiguous": N_("Kept as ambiguous"),
    "send_back": N_("Sent back"),
    "reopen": N_("Reopened"),
    "undo": N_("Taken back"),
    "note": N_("Note"),
}
METHOD_NAMES = {
    "unchecked": N_("the only answer"),
    "few_labels": N_("majority vote, as too few records have several answers to weigh people"),
    "majority": N_("majority vote"),
    "weighted_majority": N_("weighted majority vote"),
    "dawid_skene": N_("Dawid-Skene"),
    "classifier_prior": N_("answers and the classifier's opinion"),
}
NOTICES = {
    "decided": N_("The case is decided."),
    "ambiguous": N_("The case is kept as ambiguous, with its soft label."),
    "sent_back": N_("The record goes back to be labelled again."),
    "open": N_("The case is open again."),
    "noted": N_("The note is kept."),
    "taken_back": N_("The decision is taken back."),
    "refreshing": N_("Cases are being brought up to date."),
}
NOTICE_OF = {
    "decide": "decided",
    "ambiguous": "ambiguous",
    "send_back": "sent_back",
    "reopen": "open",
    "note": "noted",
}


def notice_words(notice: str, *, done: int, left: int) -> Message | None:
    """What was done, by the name that the address has; None for a name that says nothing.

    Args:
        done: cases that a bulk action has changed.
        left: cases that it has left alone.
    """
    if notice == "bulk":
        return _counts(_count_of_done(done), left)
    if notice == "undone":
        return _counts(_count_of_undone(done), left)
    return Message(NOTICES[notice]) if notice in NOTICES else None


def _counts(done: Message, left: int) -> Message:
    if not left:
        return Message("{done}.", done=done)
    return Message("{done}. {left}.", done=done, left=_count_of_left(left))


def _count_of_done(number: int) -> Message:
    return Message.ngettext("{n} case is done", "{n:,} cases are done", n=number)


def _count_of_undone(number: int) -> Message:
    return Message.ngettext("{n} case is taken back", "{n:,} cases are taken back", n=number)


def _count_of_left(number: int) -> Message:
    return Message.ngettext(
        "{n} that was changed meanwhile is left alone",
        "{n:,} that were changed meanwhile are left alone",
        n=number,
    )
