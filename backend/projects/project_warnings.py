"""What a project gives up or mixes up, said where it is made and where it is shown."""

from backend.models import Project
from backend.projects.schemas import LoopPolicy
from backend.projects.service import label_schema_of, policy_of
from backend.words import Message
from labeling.label_schema import LabelSchema
from labeling.shown_text import look_alikes


def warnings_of(project: Project) -> list[Message]:
    """What whoever set the project up should know of it."""
    return [*label_warnings(label_schema_of(project)), *policy_warnings(policy_of(project))]


def label_warnings(schema: LabelSchema) -> list[Message]:
    """Labels that people will take for each other; all of a group are named."""
    places = (("grade.choices", schema.grades), ("issues", schema.issue_values))
    return [
        Message(
            "The labels {labels} of {place} differ in nothing but blanks, case or the form of "
            "their letters: people will take one for the other.",
            labels=[repr(each) for each in group],
            place=place,
        )
        for place, values in places
        for group in look_alikes(values)
    ]


def policy_warnings(policy: LoopPolicy) -> list[Message]:
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
