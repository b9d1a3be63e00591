"""What a policy gives up, said where it is set and where its project is shown."""

from active_learning.types import Reason
from backend.projects.schemas import LoopPolicy


def warnings_of(policy: LoopPolicy) -> list[Reason]:
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
