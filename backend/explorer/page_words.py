"""What the explorer calls its orders, filters, sources and operators."""

from backend.words import N_, Message

SORT_NAMES = {
    "risk": N_("Risk, highest first"),
    "-risk": N_("Risk, lowest first"),
    "doubt": N_("Doubt, highest first"),
    "-doubt": N_("Doubt, lowest first"),
    "confidence": N_("Confidence, highest first"),
    "-confidence": N_("Confidence, lowest first"),
    "newest": N_("Newest first"),
    "-newest": N_("Oldest first"),
}
SOURCE_LOOKS = {"decision": "good", "people": "running", "machine": "warn", "model": ""}
"""Classes of badges; the words say it, too."""
FILTER_NAMES = {
    "text": N_("Text"),
    "grade": N_("Verdict"),
    "label": N_("Label"),
    "issue": N_("Issue"),
    "faulty_field": N_("Faulty field"),
    "source": N_("What counts"),
    "kind": N_("Kind"),
    "import_id": N_("Import"),
    "confidence_from": N_("Confidence at least"),
    "confidence_to": N_("Confidence at most"),
    "risk_from": N_("Risk at least"),
    "risk_to": N_("Risk at most"),
    "disagreement": N_("Model and people"),
    "where": N_("Column"),
    "record_id": N_("Record"),
    "selection": N_("Chosen on the map"),
}
OPERATOR_NAMES = {"=": N_("is"), ">=": N_("is at least"), "<=": N_("is at most")}
DISAGREEMENT_NAMES = {"true": N_("disagree"), "false": N_("do not disagree")}
FORMATS = {"csv": "CSV", "parquet": "Parquet", "jsonl": "JSON lines"}
NOTICES = {
    "taken_back": N_("It is taken back: the records are as they were."),
    "view_saved": N_("The view is saved. Its address can be sent to others."),
    "view_changed": N_("The view is changed."),
    "view_deleted": N_("The view is deleted."),
}


def notice_words(notice: str) -> Message | None:
    """What was done, by the name that the address has; None for a name that says nothing."""
    return Message(NOTICES[notice]) if notice in NOTICES else None
