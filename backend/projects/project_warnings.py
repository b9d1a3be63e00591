"""What a project gives up or mixes up, said where it is made and where it is shown."""

from active_learning.types import Reason
from backend.models import Project
from backend.projects.schemas import LoopPolicy
from backend.projects.service import label_schema_of, policy_of
from labeling.label_schema import LabelSchema
from labeling.shown_text import look_alikes


def warnings_of(project: Project) -> list[Reason]:
    """What whoever set the project up should know of it."""
    return [*label_warnings(label_schema_of(project)), *policy_warnings(policy_of(project))]


def label_warnings(schema: LabelSchema) -> list[Reason]:
    """Labels that people will take for each other; all of a group are named."""
    found = []
    for place, values in (("grade.choices", schema.grades), ("issues", schema.issue_values)):
        for group in look_alikes(values):
            names = ", ".join(map(repr, group))
            found.append(
                Reason(
                    f"The labels {names} of {place} differ in nothing but blanks, case or the "
                    "form of their letters: people will take one for the other.",
                    f"{place} 中的标签 {names} 只在空格、大小写或字形上不同，标注者容易混淆。",
                )
            )
    return found


def policy_warnings(policy: LoopPolicy) -> list[Reason]:
    """Settings that are allowed and cost something which nobody would notice by itself."""
    found = []
    if policy.audit_share == 0:
        found.append(
            Reason(
                "No record is drawn for measuring (audit_share is 0): the accuracy stays unknown, "
                "and each model that has learnt from more labels replaces the one before "
                "without being compared.",
                "不抽取任何测量用记录（audit_share 为 0）：准确率无从得知，"
                "每个学习了更多标签的模型都会不经比较直接替换前一个。",
            )
        )
        if policy.accept_error is not None:
            found.append(
                Reason(
                    "Machine labels need records drawn for measuring: with audit_share at 0 "
                    "none can be certified.",
                    "机器标注需要抽取测量用记录：audit_share 为 0 时无法认证任何机器标注。",
                )
            )
    return found
