"""The promise about machine labels in words, English and Chinese."""

from active_learning.types import Reason

HOW_TO_SET = Reason(
    "To let machine labels count, let a lead set accept_error in the project's policy: the share "
    "of wrong ones that you tolerate, such as 0.05 (PATCH /api/v1/projects/ID/policy).",
    "如需采用机器标注，请由负责人在项目策略中设置 accept_error，即可容忍的错误比例，例如 0.05"
    "（PATCH /api/v1/projects/ID/policy）。",
)


def promise(target_error: float, delta: float, audits: int, unlabelled: int = 0) -> Reason:
    """What is promised about machine labels, and from how many random audits.

    ``unlabelled``: of the audits, records that people gave no grade.
    """
    wrong, certain = share(target_error), share(1 - delta)
    counted = unlabelled_audits(unlabelled)
    return Reason(
        f"At most {wrong} wrong, with {certain} certainty, from {audits:,} audits."
        + (f" {counted.en}" if unlabelled else ""),
        f"错误率不超过 {_zh(wrong)}，可信度 {_zh(certain)}，依据 {audits:,} 条抽检。"
        + (counted.zh if unlabelled else ""),
    )


def unlabelled_audits(count: int) -> Reason:
    """How audit records without a label count."""
    return Reason(
        f"{count:,} of them {'has' if count == 1 else 'have'} no agreed label (skipped, tied or "
        f"ambiguous) and {'counts' if count == 1 else 'count'} as wrong.",
        f"其中 {count:,} 条没有一致的标签（被跳过、平票或有歧义），按错误计算。",
    )


def stricter(target_error: float, delta: float) -> Reason:
    """Why labels under a weaker promise are taken back."""
    wrong, certain = share(target_error), share(1 - delta)
    return Reason(
        f"withdrawn: the policy asks for at most {wrong} wrong with {certain} certainty now",
        f"已撤回：策略现要求错误率不超过 {_zh(wrong)}，可信度 {_zh(certain)}",
    )


def waiting_reason(target_error: float | None) -> Reason:
    """Why nothing was decided so far."""
    if target_error is None:
        return Reason(
            f"Every label is given by a person: the policy has no accept_error. {HOW_TO_SET.en}",
            f"所有标注均由人完成：策略未设置 accept_error。{HOW_TO_SET.zh}",
        )
    return Reason(
        f"Not decided yet: after the next retraining the champion is asked whether at most "
        f"{share(target_error)} of its labels are wrong.",
        f"尚未决定：下次重新训练后将检验当前模型的错误率是否不超过 {_zh(share(target_error))}。",
    )


def share(value: float) -> str:
    """``5 %``, ``0.5 %``."""
    return f"{100 * value:.3g} %"


def _zh(text: str) -> str:
    return text.replace(" ", "")
