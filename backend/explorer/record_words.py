"""What the page of a record calls what counts for it, and why it has tasks."""

from backend.words import N_

SOURCE_NAMES = {
    "decision": N_("a person's decision"),
    "people": N_("people's consensus"),
    "machine": N_("a machine label"),
    "model": N_("only the verdict"),
}
PURPOSE_NAMES = {
    "label": N_("to be labelled"),
    "relabel": N_("asked again"),
    "gold": N_("hidden check"),
}
ACCEPTANCE_NAMES = {
    "accepted": N_("accepted"),
    "withdrawn": N_("withdrawn"),
    "refused": N_("refused"),
}
