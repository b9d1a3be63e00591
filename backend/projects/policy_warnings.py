"""What a policy gives up, said where it is set and where its project is shown."""

from backend.projects.schemas import LoopPolicy
from backend.words import Message


def warnings_of(policy: LoopPolicy) -> list[Message]:
    """Settings that are allowed and cost something which nobody would notice by itself."""
    found = []
    if policy.audit_share == 0:
        found.append(
            Message(
                "No record is drawn for measuring (audit_share is 0): the accuracy stays unknown, "
                "and each model that has learnt from more labels replaces the one before "
                "without being compared."
            )
        )
        if policy.accept_error is not None:
            found.append(
                Message(
                    "Machine labels need records drawn for measuring: with audit_share at 0 "
                    "none can be certified."
                )
            )
    return found
