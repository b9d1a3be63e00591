"""Who answers without a suggestion."""

from backend.loop.answers import LABEL
from backend.models import Task


def is_withheld(task: Task, *, is_blind_on_audit: bool) -> bool:
    """True if nobody is to see the classifier's suggestion before answering the task.

    So it is with audit records where the policy says so, and with every copy of a task: hidden gold
    records, and a second opinion of one annotator.
    """
    return task.purpose != LABEL or (task.is_audit and is_blind_on_audit)
