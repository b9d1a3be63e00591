"""Why another annotator is asked or not, in words."""

from enum import Enum

from labeling.consensus.words import Words


class OverlapReason(Enum):
    """What decided about one more annotator."""

    TOO_FEW = "too_few"
    SHARED = "shared"
    ANNOTATORS_DISAGREE = "annotators_disagree"
    MODEL_DISAGREES = "model_disagrees"
    UNSURE = "unsure"
    SURE = "sure"
    MOST = "most"
    BUDGET = "budget"

    @property
    def is_asking(self) -> bool:
        """Whether it asks for another annotator."""
        return self not in {OverlapReason.SURE, OverlapReason.MOST, OverlapReason.BUDGET}

    @property
    def urgency(self) -> int:
        """0 before 1 before 2 where a budget is short."""
        return {OverlapReason.TOO_FEW: 0, OverlapReason.SHARED: 1}.get(self, 2)


def because(
    reason: OverlapReason,
    *,
    votes: int,
    least: int,
    most: int,
    target: float,
    label: str | None,
    confidence: float | None,
    expected: str,
) -> Words:
    """The reason for one item's decision."""
    sure = "–" if confidence is None else f"{100 * confidence:.0f} %"
    wanted = f"{100 * target:.0f} %"
    sure_zh, wanted_zh = sure.replace(" %", "%"), wanted.replace(" %", "%")
    sentences = {
        OverlapReason.TOO_FEW: Words(
            f"{votes} of at least {least} answers.",
            f"已有 {votes} 个答案，至少需要 {least} 个。",
        ),
        OverlapReason.SHARED: Words(
            f"Drawn at random for {most} annotators, to measure how reliable each is.",
            f"随机抽中，由 {most} 位标注员标注，用于衡量每人的可靠程度。",
        ),
        OverlapReason.ANNOTATORS_DISAGREE: Words(
            "The annotators disagree, and no answer is more probable than another."
            if label is None
            else f"The annotators disagree: {label} is sure to {sure}, {wanted} is wanted.",
            "标注员意见不一，没有哪个答案更可能。"
            if label is None
            else f"标注员意见不一：{label} 的把握为 {sure_zh}，要求 {wanted_zh}。",
        ),
        OverlapReason.MODEL_DISAGREES: Words(
            f"The answer is {label}, the model expects {expected}: {label} is sure to {sure}, "
            f"{wanted} is wanted.",
            f"答案为 {label}，模型预期 {expected}：{label} 的把握为 {sure_zh}，要求 {wanted_zh}。",
        ),
        OverlapReason.UNSURE: Words(
            "No record has two answers yet: nothing tells how often people are right."
            if confidence is None
            else f"{label} is sure to {sure} only, {wanted} is wanted.",
            "还没有记录有两个答案：无从得知标注员的正确率。"
            if confidence is None
            else f"{label} 的把握仅 {sure_zh}，要求 {wanted_zh}。",
        ),
        OverlapReason.SURE: Words(
            f"{label} is sure to {sure}: no further answer is needed.",
            f"{label} 的把握为 {sure_zh}：无需更多答案。",
        ),
        OverlapReason.MOST: Words(
            f"It has {votes} answers, the most an item gets.",
            f"已有 {votes} 个答案，达到上限。",
        ),
        OverlapReason.BUDGET: Words(
            "The budget of answers goes to items that are less sure.",
            "标注预算优先用于把握更低的记录。",
        ),
    }
    return sentences[reason]


def saving_in_words(votes: int, asked: int, fixed: int, most: int) -> Words:
    """What the policy saves against ``most`` answers for every item."""
    if not fixed:
        return Words("There are no records yet.", "还没有记录。")
    saved = fixed - votes - asked
    return Words(
        f"{votes:,} answers given and {asked:,} asked for; {most} for every record would be "
        f"{fixed:,}: {saved:,} saved ({100 * saved / fixed:.0f} %).",
        f"已有 {votes:,} 个答案，另需 {asked:,} 个；若每条记录 {most} 个则需 {fixed:,} 个："
        f"节省 {saved:,} 个（{100 * saved / fixed:.0f}%）。",
    )
