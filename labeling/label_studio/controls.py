"""What the controls of our labelling screen are called in Label Studio."""

RECORD = "record"


FAULTY = "faulty"


CORRECTED = "corrected"


ISSUES = "issues"


RATIONALE = "rationale"


FAULTY_LABEL = "faulty"


EVIDENCE = "evidence"


SUPPORTS_LABEL = "supports"


AGAINST_LABEL = "against"
