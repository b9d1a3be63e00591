"""Values of the store that pages show by their own name, for the catalogues."""

from backend.words import N_

JOB_STATES = (
    N_("queued"),
    N_("running"),
    N_("waiting"),
    N_("done"),
    N_("failed"),
    N_("cancelled"),
)
ROLES = (
    N_("annotator"),
    N_("viewer"),
    N_("reviewer"),
    N_("engineer"),
    N_("scorer"),
    N_("service"),
    N_("lead"),
    N_("admin"),
)
RECORD_KINDS = (N_("product"), N_("inventory"), N_("review"), N_("ad"), N_("behaviour"))
DECISIONS = (N_("promoted"), N_("kept"), N_("rolled_back"))
ACCEPTANCE_STATES = (N_("accepted"), N_("refused"), N_("withdrawn"), N_("undecided"))
ADVICE_STATES = (N_("too early"), N_("keep labelling"), N_("stop"))
LOOP_STATES = (
    N_("not started"),
    N_("stopped"),
    N_("at work"),
    N_("labelling"),
    N_("ended"),
)
SUBJECTS = (N_("grade"), N_("issue"), N_("field"))
